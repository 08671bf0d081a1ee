#include "stages/admission/allowances.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <new>
#include <string>
#include <thread>

namespace {
thread_local bool counting = false;
long allocations = 0;
}  // namespace
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
void* operator new(std::size_t size) {
  if (counting) ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif

namespace vesper::admission {
namespace {

constexpr WallTime noon{std::chrono::days{20'000} + 12h};
constexpr Names alice{"T", "alice", "i", true}, bob{"T", "bob", "i", true};
constexpr AllowanceKind diaries = AllowanceKind::submissions, reads = AllowanceKind::reads;

RateLimits per_minute(double rate, std::uint32_t burst) {
  RateLimits limits;
  limits.patient_per_minute = rate;
  limits.patient_burst = burst;
  return limits;
}

struct Bench {
  Allowances allowances{{1, 2}};
  Instant now{1h};
  WallTime wall = noon;
  Taken take(const Names& names, const RateLimits& limits, AllowanceKind kind = diaries) {
    return allowances.take(names, kind, limits, now, wall);
  }
  void pass(Duration time) {
    now += time;
    wall += std::chrono::duration_cast<std::chrono::milliseconds>(time);
  }
};

TEST(Bucket, GivesItsBurstAtOnceAndThenItsRate) {
  static constexpr BucketRule rule = BucketRule::of(10, 3);
  UsedAllowance used = 0;
  const std::uint64_t now = ticks_of(Instant{1h});
  for (int i = 0; i < 3; ++i) used = take_one(used, now, rule).value();
  EXPECT_FALSE(take_one(used, now, rule));
  const Duration wait = wait_for_one(used, now, rule);
  EXPECT_NEAR(std::chrono::duration<double>(wait).count(), 0.1, 1e-6);
  EXPECT_FALSE(take_one(used, ticks_of(Instant{1h + wait - 1us}), rule));
  EXPECT_TRUE(take_one(used, ticks_of(Instant{1h + wait}), rule));
}

TEST(Bucket, ExtremeRatesNeitherOverflowNorRefuseForEver) {
  for (double rate : {1e-9, 1e-3, 1.0, 1e6, 1e9}) {
    const BucketRule rule = BucketRule::of(rate, 4'000'000'000);
    const std::uint64_t now = ticks_of(Instant{std::chrono::hours{24 * 365 * 20}});
    EXPECT_TRUE(take_one(0, now, rule)) << rate;
    EXPECT_LE(take_one(0, now, rule).value(), used_allowance_max) << rate;
  }
  EXPECT_TRUE(BucketRule::of(0, 5).unlimited());
  EXPECT_TRUE(BucketRule::of(-1, 5).unlimited());
}

TEST(Allowances, WithoutLimitsNothingIsRefusedOrTaken) {
  Bench bench;
  for (int i = 0; i < 1000; ++i) {
    const Taken taken = bench.take(alice, {});
    ASSERT_EQ(taken.why, OverRate::nothing);
    ASSERT_FALSE(taken.charge.any());
  }
}

TEST(Allowances, NobodySpendsAnothers) {
  Bench bench;
  const RateLimits limits = per_minute(6, 2);
  for (int i = 0; i < 100; ++i) (void)bench.take(alice, limits);
  EXPECT_EQ(bench.take(alice, limits).why, OverRate::patient);
  EXPECT_EQ(bench.take(bob, limits).why, OverRate::nothing);
  EXPECT_EQ(bench.take({"U", "alice", "i", true}, limits).why, OverRate::nothing);
  EXPECT_EQ(bench.take({"T", "alice", "i", false}, limits).why, OverRate::nothing);
}

TEST(Allowances, ReadingHasItsOwn) {
  Bench bench;
  const RateLimits limits = per_minute(6, 1);
  EXPECT_EQ(bench.take(alice, limits, reads).why, OverRate::nothing);
  EXPECT_EQ(bench.take(alice, limits, reads).why, OverRate::patient);
  EXPECT_EQ(bench.take(alice, limits).why, OverRate::nothing);
}

TEST(Allowances, TheWaitNamesWhenThereIsRoom) {
  Bench bench;
  const RateLimits limits = per_minute(6, 1);
  (void)bench.take(alice, limits);
  const Taken refused = bench.take(alice, limits);
  EXPECT_NEAR(std::chrono::duration<double>(refused.wait).count(), 10, 0.001);
  bench.pass(refused.wait);
  EXPECT_EQ(bench.take(alice, limits).why, OverRate::nothing);
}

TEST(Allowances, ThirtyDiariesAfterADayOfflineFitTheStandardBurst) {
  Bench bench;
  RateLimits limits;
  limits.patient_per_minute = 1;
  for (int i = 0; i < 30; ++i) EXPECT_EQ(bench.take(alice, limits).why, OverRate::nothing) << i;
  EXPECT_EQ(bench.take(alice, limits).why, OverRate::patient);
}

TEST(Allowances, AReplayHasCostNothing) {
  Bench bench;
  RateLimits limits = per_minute(6, 1);
  limits.patient_per_day = 1;
  limits.trial_per_second = 0.1;
  limits.trial_burst = 1;
  for (int i = 0; i < 10; ++i) {
    const Taken taken = bench.take(alice, limits);
    ASSERT_EQ(taken.why, OverRate::nothing) << i;
    bench.allowances.give_back(taken.charge, bench.now, bench.wall);
  }
}

TEST(Allowances, ARefusalTakesNothingOfTheOthers) {
  Bench bench;
  RateLimits limits = per_minute(6, 5);
  limits.patient_per_day = 5;
  limits.trial_per_second = 1;
  limits.trial_burst = 1;
  EXPECT_EQ(bench.take(bob, limits).why, OverRate::nothing);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(bench.take(alice, limits).why, OverRate::trial);
  limits.trial_per_second = 0;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bench.take(alice, limits).why, OverRate::nothing) << i;
  EXPECT_EQ(bench.take(alice, limits).why, OverRate::patient_day);
}

TEST(Allowances, ThoseRefusedForTheirTrialAreGivenDifferentSlots) {
  Bench bench;
  RateLimits limits;
  limits.trial_per_second = 10;
  limits.trial_burst = 1;
  (void)bench.take(alice, limits);
  Duration last{};
  for (int i = 0; i < 100; ++i) {
    const Taken refused = bench.take(bob, limits);
    ASSERT_EQ(refused.why, OverRate::trial);
    EXPECT_GT(refused.wait, last);
    last = refused.wait;
  }
  EXPECT_NEAR(std::chrono::duration<double>(last).count(), 10, 0.2);
  for (int i = 0; i < 100'000; ++i) last = bench.take(bob, limits).wait;
  EXPECT_LE(last, 513s);
}

TEST(Quota, IsOfHalfADayAndAStepOfTheClockGainsNothing) {
  Bench bench;
  RateLimits limits;
  limits.patient_per_day = 2;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(bench.take(alice, limits).why, OverRate::nothing);
  const Taken refused = bench.take(alice, limits);
  EXPECT_EQ(refused.why, OverRate::patient_day);
  EXPECT_EQ(refused.wait, 12h);
  bench.wall -= 24h;  // set back
  EXPECT_EQ(bench.take(alice, limits).why, OverRate::patient_day);
  bench.wall += 36h;
  EXPECT_EQ(bench.take(alice, limits).why, OverRate::nothing);
}

// Whatever the zone, one diary an evening at about the same hour is never over a quota of one.
TEST(Quota, ADiaryAnEveningIsNeverRefusedInAnyZone) {
  for (int hour = 0; hour < 24; ++hour) {
    Bench bench;
    RateLimits limits;
    limits.patient_per_day = 1;
    Random random{static_cast<std::uint64_t>(hour)};
    for (int day = 0; day < 30; ++day) {
      bench.wall = WallTime{std::chrono::days{20'000 + day} + std::chrono::hours{hour} +
                            std::chrono::minutes{random.below(120)} - 1h};
      EXPECT_EQ(bench.take(alice, limits).why, OverRate::nothing) << hour << " " << day;
    }
  }
}

// A fault that the simulation must find: a table that forgets names whose bucket is not full.
class ForgetfulBucket {
 public:
  explicit ForgetfulBucket(bool forgets) : forgets_(forgets) {}
  bool take(std::uint64_t name, const BucketRule& rule, std::uint64_t now) {
    return table_
        .update(name, forgets_ ? used_allowance_max : now,
                [&](UsedAllowance used) { return take_one(used, now, rule); })
        .changed;
  }
  [[nodiscard]] std::uint64_t evictions() const { return table_.evictions(); }

 private:
  bool forgets_;
  AllowanceTable table_{1024};
};

// Swarm: random rates, bursts, crowds of names, pauses. In any interval of length t a name gets at
// most burst + rate * t, unless the table says that it has forgotten somebody.
bool stays_in_bounds(std::uint64_t seed, bool forgets) {
  Random random{seed};
  const double rate = 0.1 + random.unit() * 20;
  const std::uint64_t burst = 1 + random.below(20), names = 1 + random.below(3000);
  const BucketRule rule = BucketRule::of(rate, burst);
  ForgetfulBucket buckets{forgets};
  Instant now{1h};
  std::deque<Instant> watched;  // admissions of name 7
  for (int i = 0; i < 30'000; ++i) {
    now += Duration{static_cast<Duration::rep>(random.below(2'000'000))};
    if (random.chance(0.001))
      now += Duration{static_cast<Duration::rep>(random.below(3'000'000'000))};
    const std::uint64_t name = random.chance(0.3) ? 7 : 10 + random.below(names);
    if (!buckets.take(name, rule, ticks_of(now)) || name != 7) continue;
    watched.push_back(now);
    for (std::size_t k = 0; k < watched.size(); ++k) {
      const double length = std::chrono::duration<double>(now - watched[k]).count();
      const auto count = static_cast<double>(watched.size() - k);
      if (count > static_cast<double>(burst) + rate * length * 1.001 + 1) {
        if (buckets.evictions() == 0 || forgets) return false;
      }
    }
    if (watched.size() > 100) watched.pop_front();
  }
  return true;
}

TEST(BucketSimulation, NobodyExceedsUnderASwarmOfNames) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    EXPECT_TRUE(stays_in_bounds(seed, false)) << "seed " << seed;
}

TEST(BucketSimulation, FindsATableThatForgets) {
  bool found = false;
  for (std::uint64_t seed = 1; seed <= 20 && !found; ++seed) found = !stays_in_bounds(seed, true);
  EXPECT_TRUE(found);
}

TEST(AllowanceTable, AFullSetForgetsWhoUsedLeastAndCountsIt) {
  AllowanceTable table{64};
  std::uint64_t evicted = 0;
  for (std::uint64_t name = 2; name < 2000; ++name) {
    (void)table.update(name, 0, [&](UsedAllowance) { return std::optional{UsedAllowance{name}}; });
    evicted = table.evictions();
  }
  EXPECT_GT(evicted, 1900u);
  const auto kept = table.update(1999, 0, [](UsedAllowance) { return std::nullopt; });
  EXPECT_EQ(kept.before, 1999u);
}

TEST(AllowanceTable, ThreadsThatShareANameTakeItsBurstOnceTogether) {
  constexpr int threads = 4, tries = 20'000;
  const BucketRule rule = BucketRule::of(0.001, 5000);
  AllowanceTable table{64};
  const std::uint64_t now = ticks_of(Instant{1h});
  (void)table.update(99, now, [&](UsedAllowance used) { return take_one(used, now, rule); });
  std::atomic<int> taken{1};
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < threads; ++t)
      crowd.emplace_back([&, t] {
        for (int i = 0; i < tries; ++i) {
          if (table.update(99, now, [&](UsedAllowance u) { return take_one(u, now, rule); })
                  .changed)
            ++taken;
          // Names that come and go at rest beside it, so that cells change hands all the time.
          const auto other = static_cast<std::uint64_t>(1000 + t * tries + i);
          (void)table.update(other, now, [&](UsedAllowance) { return std::optional{now}; });
        }
      });
  }
  EXPECT_EQ(taken.load(), 5000);
  EXPECT_EQ(table.evictions(), 0u);
}

TEST(Allowances, ADecisionAllocatesNothing) {
  Bench bench;
  RateLimits limits = per_minute(6, 2);
  limits.patient_per_day = 100;
  limits.trial_per_second = 5;
  std::string subject = "S-0";
  counting = true;
  for (int i = 0; i < 2000; ++i) {
    subject[2] = static_cast<char>('0' + i % 10);
    (void)bench.take({"T", subject, "i", true}, limits);
  }
  counting = false;
  EXPECT_EQ(allocations, 0);
}

}  // namespace
}  // namespace vesper::admission
