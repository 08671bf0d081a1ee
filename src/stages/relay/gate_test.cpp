#include "stages/relay/gate.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "stages/relay/rig_for_tests.hpp"

namespace vesper::relay {
namespace {

constexpr Instant start{1h}, ill{1h + 10s};

struct Illness {
  const char* name;
  Service service;
};
const Illness illnesses[] = {
    {"refused", {1ms, TryEnd::fault, {}}},
    {"refused at once", {100us, TryEnd::fault, {}}},
    {"hanging", {1h, TryEnd::delivered, {}}},
    {"slow", {10s, TryEnd::delivered, {}}},
    {"four seconds", {4s, TryEnd::delivered, {}}},
    {"503", {5ms, TryEnd::overloaded, {}}},
    {"503 after a second", {1s, TryEnd::overloaded, {}}},
};

// Goal: two seconds after it is well again a destination gets all it can take, whatever it had and
// however long.
TEST(Gate, IsBackInServiceWithinTwoSecondsFromAnyState) {
  for (const auto& illness : illnesses)
    for (const Duration well : std::initializer_list<Duration>{5ms, 20ms, 100ms})
      for (const Duration lasted :
           std::initializer_list<Duration>{50ms, 500ms, 1100ms, 2s, 3300ms, 7s, 31s, 600s, 3600s}) {
        // What it had taken while it was ill it may still turn away after.
        const Duration late =
            illness.service.how == TryEnd::overloaded ? illness.service.takes : 0ns;
        const Instant ended = ill + lasted, healed = ended + late;
        Evening evening{{}, 7, ill_between(ill, ended, illness.service, well)};
        evening.play_until(healed + 4s);
        const double full = 64 / std::chrono::duration<double>(well).count();
        EXPECT_GE(evening.delivered_in(healed + 2s, healed + 3s), full * 0.9)
            << illness.name << ", well in " << well.count() / 1'000'000 << " ms, ill for "
            << lasted.count() / 1'000'000 << " ms, limit " << evening.gate.concurrency().limit();
        EXPECT_LE(evening.most_in_flight, 64u);
        EXPECT_TRUE(evening.gate.closed()) << illness.name;
      }
}

// The same, with the probe left out: it must be found out.
TEST(Gate, ABreakerThatNeverProbesIsFoundOut) {
  Gate::Rule rule;
  rule.breaker.probe_first = rule.breaker.probe_every = 1000h;
  for (const auto& illness : illnesses) {
    Evening evening{rule, 7, ill_between(ill, ill + 31s, illness.service)};
    evening.play_until(ill + 35s);
    if (std::string_view{illness.name} == "four seconds") continue;  // its own answers close it
    EXPECT_EQ(evening.delivered_in(ill + 33s, ill + 34s), 0u) << illness.name;
  }
}

TEST(Gate, LetsAFewProbesASecondThroughWhileShut) {
  for (const auto& illness : illnesses) {
    if (illness.service.takes == 4s) continue;  // merely slow: it works
    Evening evening{{}, 3, ill_between(ill, ill + 1h, illness.service)};
    evening.play_until(ill + 1h);
    const std::size_t first = evening.started_in(ill + 6s, ill + 16s);
    EXPECT_LE(first, 20u) << illness.name;
    for (Instant t = ill + 20s; t < ill + 1h - 10s; t += 10s) {
      EXPECT_LE(evening.started_in(t, t + 10s), 20u) << illness.name;
      EXPECT_GE(evening.started_in(t, t + 10s), 10u) << illness.name;
    }
  }
}

TEST(Gate, BoundsTheFailedTriesOfAnOnset) {
  for (const Duration takes : std::initializer_list<Duration>{100us, 1ms, 10ms}) {
    Evening evening{{}, 3, ill_between(ill, ill + 10s, {takes, TryEnd::fault, {}})};
    evening.play_until(ill + 10s);
    EXPECT_LE(evening.started_in(ill, ill + 1s), 64u + 32u + 4u);
    EXPECT_LE(evening.started_in(ill, ill + 10s), 64u + 32u + 13u);
  }
}

TEST(Gate, WaitsAsToldAndNotLonger) {
  bool told = false;
  const auto destined = [&](Instant now, std::uint32_t, Random&) -> Service {
    if (now < ill || told) return {};
    told = true;
    return {5ms, TryEnd::overloaded, 100s};
  };
  Evening evening{{}, 5, destined};
  evening.play_until(ill + 5ms);
  evening.play_until(ill + 200s);
  EXPECT_EQ(evening.started_in(ill + 6ms, ill + 100s), 0u);
  EXPECT_GE(evening.delivered_in(ill + 102s, ill + 103s), 3000u);
}

TEST(Gate, APersonEndsAWait) {
  Evening evening{{}, 5, ill_between(ill, ill + 1s, {5ms, TryEnd::overloaded, 1h})};
  evening.play_until(ill + 60s);
  EXPECT_EQ(evening.started_in(ill + 1s, ill + 60s), 0u);
  EXPECT_EQ(evening.gate.breaker().cause(), BreakerCause::told);
  evening.gate.hasten(evening.now);
  evening.play_for(3s);
  EXPECT_GE(evening.delivered_in(ill + 62s, ill + 63s), 2800u);
}

// Goal: a destination that is merely slower keeps what it can take.
TEST(Gate, DoesNotStrangleASlowerDestination) {
  for (const Duration takes : std::initializer_list<Duration>{200ms, 500ms, 1s, 1500ms}) {
    Evening evening{{}, 5, ill_between(start, start + 1000h, {takes, TryEnd::delivered, {}})};
    evening.play_until(start + 60s);
    const double full = 64 / std::chrono::duration<double>(takes).count();
    EXPECT_GE(evening.delivered_in(start + 30s, start + 60s), 30 * full * 0.95) << takes.count();
  }
}

TEST(Gate, KeepsGoingWhenADestinationBecomesSlowerForGood) {
  for (const Duration takes : std::initializer_list<Duration>{200ms, 400ms, 1s, 2s}) {
    Evening evening{{}, 5, ill_between(ill, ill + 1000h, {takes, TryEnd::delivered, {}})};
    evening.play_until(ill + 120s);
    const double full = 64 / std::chrono::duration<double>(takes).count();
    EXPECT_GE(evening.delivered_in(ill + 60s, ill + 120s), 60 * full * 0.9) << takes.count();
  }
}

// 20 ms become 10 s: seen within 4 s, then hardly anything is in flight.
TEST(Gate, SeesThatADestinationHasBecomeSlow) {
  Evening evening{{}, 5, ill_between(ill, ill + 1000h, {10s, TryEnd::delivered, {}})};
  evening.play_until(ill + 4s);
  EXPECT_FALSE(evening.gate.closed());
  EXPECT_LE(evening.started_in(ill + 1100ms, ill + 4s), 8u);
  evening.play_until(ill + 60s);
  EXPECT_LE(evening.gate.in_flight(), 8u);
}

TEST(Gate, OnePatientsPoisonShutsNothing) {
  int n = 0;
  Evening evening{{}, 5, [&](Instant, std::uint32_t, Random&) {
                    return ++n % 3 == 0 ? Service{5ms, TryEnd::answered, {}} : Service{};
                  }};
  evening.play_until(start + 60s);
  EXPECT_TRUE(evening.changes.empty());
  EXPECT_EQ(evening.gate.concurrency().limit(), 64u);
}

TEST(Gate, AFewFaultsMatterLittle) {
  for (const double share : {0.01, 0.05, 0.2, 0.3}) {
    Evening evening{{}, 5, [&](Instant, std::uint32_t, Random& random) {
                      return random.chance(share) ? Service{5ms, TryEnd::fault, {}} : Service{};
                    }};
    evening.play_until(start + 5s);
    evening.changes.clear();  // the very first tries have nothing to be judged by
    evening.play_until(start + 60s);
    EXPECT_GE(evening.delivered_in(start + 5s, start + 60s), 55 * 3200 * (1 - share) * 0.95);
    EXPECT_TRUE(evening.changes.empty()) << share;
  }
}

TEST(Gate, FlappingNeverSticks) {
  for (const Duration period : std::initializer_list<Duration>{200ms, 1s, 2700ms, 10s}) {
    Evening evening{{}, 5, [&](Instant now, std::uint32_t, Random&) {
                      const bool up = (now.time_since_epoch() / period) % 2 == 0;
                      return up ? Service{} : Service{1ms, TryEnd::fault, {}};
                    }};
    evening.play_until(start + 120s);
    const std::size_t tries = evening.started.size(), good = evening.delivered.size();
    EXPECT_GE(good, period >= 10s ? 60u * 3200 * 7 / 10 : 1000u) << period.count();
    EXPECT_LE(tries - good, 120u * 100) << period.count();
  }
}

TEST(Gate, SaysWhatChangedAndHowLongItLasted) {
  Evening evening{{}, 5, ill_between(ill, ill + 30s, {1ms, TryEnd::fault, {}})};
  evening.play_until(ill + 40s);
  ASSERT_EQ(evening.changes.size(), 2u);
  EXPECT_EQ(evening.changes[0].state, BreakerState::open);
  EXPECT_EQ(evening.changes[0].cause, BreakerCause::faults);
  EXPECT_EQ(evening.changes[1].state, BreakerState::closed);
  EXPECT_GE(evening.changes[1].lasted, 29s);
  EXPECT_LE(evening.changes[1].lasted, 32s);
}

// With few connections a hung try must not keep the probe from going.
TEST(Gate, CutsWhatHangsToMakeRoomForAProbe) {
  Gate::Rule rule;
  rule.concurrency.most = 8;
  Evening evening{rule, 5, ill_between(ill, ill + 200ms, {1h, TryEnd::delivered, {}})};
  evening.play_until(ill + 4s);
  EXPECT_GE(evening.cut, 1u);
  EXPECT_GE(evening.delivered_in(ill + 2200ms, ill + 3200ms), 8u * 50 * 9 / 10);
}

}  // namespace
}  // namespace vesper::relay
