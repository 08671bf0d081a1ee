#include "stages/relay/throttle.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "stages/relay/retry_budget.hpp"

namespace vesper::relay {
namespace {

/// Tries one after the other, as often as it may, each of `takes`; the share `good` is answered.
struct Caller {
  explicit Caller(const Throttle::Rule& rule = {}) : throttle(rule) {}
  std::uint32_t run(Duration length, double good, Duration takes = 1ms) {
    std::uint32_t tries = 0;
    for (const Instant end = now + length; now < end; ++tries) {
      now = std::max(now, throttle.next());
      widest = std::max(widest, now - last);
      last = now;
      throttle.start(now, random.unit());
      now += takes;
      const bool well = random.chance(good);
      well ? throttle.answered(now, others) : throttle.fault();
      if (well && !forgetful) throttle.fault();  // the row of answers is never longer than one
    }
    return tries;
  }
  Throttle throttle;
  Random random{5};
  Instant now{1h}, last{1h};
  Duration widest{};
  std::uint32_t others = 0;
  bool forgetful = true;
};

TEST(Throttle, LetsAllThroughWhileHalfIsAnswered) {
  for (const double good : {1.0, 0.8, 0.6}) {
    Caller caller;
    EXPECT_EQ(caller.run(10s, good), 10'000u) << good;
  }
}

TEST(Throttle, ThinsOutWhatFailsButTriesTwiceASecond) {
  Caller caller;
  caller.run(10s, 1);
  caller.run(4s, 0);  // the window turns
  const std::uint32_t tries = caller.run(60s, 0);
  EXPECT_GT(caller.throttle.probability(), 0.85);
  EXPECT_GE(tries, 120u - 1);
  EXPECT_LE(tries, 1'200u);
  EXPECT_LE(caller.widest, 501ms);
}

TEST(Throttle, ThinsOutMoreTheMoreFails) {
  std::uint32_t before = UINT32_MAX;
  for (const double good : {0.5, 0.35, 0.2, 0.05}) {
    Caller caller;
    const std::uint32_t tries = caller.run(60s, good);
    EXPECT_LT(tries, before) << good;
    before = tries;
  }
}

// Goal: an outage of an hour is forgotten within a second.
TEST(Throttle, ForgetsAtOnceWhenAnswersCome) {
  Caller caller;
  caller.others = 1;
  caller.run(10s, 1);
  caller.run(1h, 0);
  EXPECT_GE(caller.run(1500ms, 1), 450u);
  EXPECT_EQ(caller.throttle.probability(), 0);
}

// Negative control: the book's window alone, without the answers in a row.
TEST(Throttle, WithoutForgettingIsFoundOut) {
  Caller caller;
  caller.run(10s, 1);
  caller.run(1h, 0);
  caller.forgetful = false, caller.others = 1;
  EXPECT_LE(caller.run(1500ms, 1), 450u);
}

TEST(Throttle, LeavesAFewTriesAlone) {
  Caller caller;
  caller.run(15ms, 0);
  EXPECT_EQ(caller.throttle.probability(), 0);
}

TEST(RetryBudget, HoldsItsShareInEverySpan) {
  Random random{9};
  for (const double share : {0.0, 0.1, 0.5}) {
    RetryBudget budget{{.share = share, .floor_per_s = 2, .burst = 10}};
    Instant now{1h};
    double first = 0, retries = 0;
    for (int i = 0; i < 100'000; ++i) {
      now += Duration{static_cast<Duration::rep>(random.below(2'000'000))};
      if (random.chance(0.5)) {
        budget.first_try();
        ++first;
      } else if (budget.may_retry(now)) {
        budget.retry(now);
        ++retries;
      }
      const double seconds = std::chrono::duration<double>(now - Instant{1h}).count();
      ASSERT_LE(retries, share * first + 2 * seconds + 10.001);
    }
    EXPECT_GE(retries, share * first);
  }
}

TEST(RetryBudget, NeverMakesARetryWaitForEver) {
  RetryBudget budget{{.floor_per_s = 2}};
  Instant now{1h};
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(budget.may_retry(now));
    budget.retry(now);
  }
  EXPECT_FALSE(budget.may_retry(now));
  const Instant next = budget.next(now);
  EXPECT_LE(next, now + 501ms);
  EXPECT_FALSE(budget.may_retry(next - 1ms));
  EXPECT_TRUE(budget.may_retry(next));
}

TEST(Tally, ForgetsWhatIsOlderThanItsSpan) {
  Tally<1> tally{3s};
  Random random{4};
  std::vector<Instant> kept;
  Instant now{1h};
  for (int i = 0; i < 20'000; ++i) {
    now += Duration{
        static_cast<Duration::rep>(random.below(random.chance(0.01) ? 4'000'000'000 : 40'000'000))};
    tally.add(now, 0);
    kept.push_back(now);
    const auto within = [&](Duration span) {
      return static_cast<std::uint32_t>(kept.end() - std::ranges::lower_bound(kept, now - span));
    };
    ASSERT_LE(tally.sum(now, 0), within(3s));
    ASSERT_GE(tally.sum(now, 0), within(2600ms));
  }
}

}  // namespace
}  // namespace vesper::relay
