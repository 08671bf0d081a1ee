#include "stages/relay/breaker.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace vesper::relay {
namespace {

constexpr Instant t{1h};
using Ended = Breaker::Ended;

Breaker worked(Instant now = t) {
  Breaker breaker{{}};
  for (int i = 0; i < 10; ++i) breaker.ended(now, breaker.epoch(), Ended::answered);
  return breaker;
}

TEST(Breaker, OpensAtTheSixteenthFaultInARow) {
  Breaker breaker = worked();
  for (int i = 0; i < 15; ++i) breaker.ended(t, 0, Ended::fault);
  EXPECT_TRUE(breaker.closed());
  breaker.ended(t, 0, Ended::answered);
  for (int i = 0; i < 15; ++i) breaker.ended(t, 0, Ended::fault);
  EXPECT_TRUE(breaker.closed());
  breaker.ended(t, 0, Ended::fault);
  EXPECT_EQ(breaker.state(), BreakerState::open);
  EXPECT_EQ(breaker.cause(), BreakerCause::faults);
}

TEST(Breaker, OpensAtTheThirdFaultWhenNothingWasAnsweredForASecond) {
  for (const Duration quiet : std::initializer_list<Duration>{999ms, 1s}) {
    Breaker breaker = worked();
    for (int i = 0; i < 3; ++i) breaker.ended(t + quiet, 0, Ended::fault);
    EXPECT_EQ(breaker.closed(), quiet < 1s);
  }
  Breaker fresh{{}};
  for (int i = 0; i < 3; ++i) fresh.ended(t, 0, Ended::fault);
  EXPECT_FALSE(fresh.closed());
}

TEST(Breaker, OpensWhenFourFifthsOfTheLastSecondsFailed) {
  Breaker breaker = worked(t - 10s);
  breaker.ended(t, 0, Ended::answered);
  int tries = 1;
  for (; breaker.closed() && tries < 100; ++tries)
    breaker.ended(t + 10ms * tries, 0, tries % 8 == 4 ? Ended::answered : Ended::fault);
  EXPECT_FALSE(breaker.closed());
  EXPECT_GE(tries, 20);
}

TEST(Breaker, OpensWhenFourFifthsAreSlowAlsoThoseStillWaiting) {
  Breaker breaker = worked(t - 10s);
  for (int i = 0; i < 19; ++i) breaker.ended(t, 0, Ended::slow);
  EXPECT_TRUE(breaker.closed());
  breaker.ended(t, 0, Ended::slow);
  EXPECT_EQ(breaker.cause(), BreakerCause::slow);
  Breaker waits = worked(t - 10s);
  waits.waiting(t, 19);
  EXPECT_TRUE(waits.closed());
  waits.waiting(t, 20);
  EXPECT_EQ(waits.cause(), BreakerCause::slow);
}

TEST(Breaker, ProbesSoonAndThenAtLeastOnceASecondForEver) {
  Random random{3};
  Breaker breaker = worked();
  for (int i = 0; i < 16; ++i) breaker.ended(t, 0, Ended::fault);
  EXPECT_EQ(breaker.probe_at(), t + 100ms);
  Instant now = t;
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_LE(breaker.probe_at() - now, 1s);
    if (i > 4) {
      ASSERT_GE(breaker.probe_at() - now, 700ms);
    }
    now = breaker.probe_at();
    breaker.probe(now, random.unit());
    ASSERT_EQ(breaker.state(), BreakerState::half_open);
    breaker.ended(now + 1ms, breaker.epoch(), Ended::fault);
    ASSERT_EQ(breaker.state(), BreakerState::open);
  }
  breaker.probe(now, 0.5);
  breaker.ended(now + 1ms, breaker.epoch(), Ended::answered);
  EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST(Breaker, AHangingProbeKeepsNoOtherBack) {
  Breaker breaker = worked();
  breaker.stalled(t);
  EXPECT_EQ(breaker.probe_at(), t);
  breaker.probe(t, 0);
  breaker.probe(breaker.probe_at(), 0);
  breaker.ended(t + 200ms, breaker.epoch(), Ended::answered);
  EXPECT_TRUE(breaker.closed());
}

TEST(Breaker, WhatBeganBeforeItOpenedCannotHarm) {
  Breaker breaker = worked();
  for (int i = 0; i < 16; ++i) breaker.ended(t, 0, Ended::fault);
  breaker.probe(t + 100ms, 0);
  const std::uint32_t half = breaker.epoch();
  breaker.ended(t + 110ms, half, Ended::answered);
  ASSERT_TRUE(breaker.closed());
  for (int i = 0; i < 100; ++i) breaker.ended(t + 120ms, i % 2 ? 0 : half, Ended::fault);
  EXPECT_TRUE(breaker.closed());
}

TEST(Breaker, AnOldAnswerCallsForAProbeAtOnce) {
  Breaker breaker = worked();
  for (int i = 0; i < 16; ++i) breaker.ended(t, 0, Ended::fault);
  breaker.ended(t + 5ms, 0, Ended::answered);
  EXPECT_EQ(breaker.probe_at(), t + 5ms);
}

TEST(Breaker, SlowButSteadyAnswersCloseItInTheEnd) {
  Breaker breaker = worked();
  breaker.stalled(t);
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(breaker.closed());
    breaker.probe(t + 1s * i, 0);
    breaker.ended(t + 1s * i + 10s, breaker.epoch(), Ended::slow);
  }
  EXPECT_TRUE(breaker.closed());
  EXPECT_TRUE(breaker.closed_slowly());
}

TEST(Breaker, NothingStartsBeforeTheTimeItWasTold) {
  Breaker breaker = worked();
  breaker.told(t, t + 1h);
  EXPECT_EQ(breaker.cause(), BreakerCause::told);
  EXPECT_EQ(breaker.probe_at(), t + 1h);
  breaker.ended(t + 1s, 0, Ended::answered);
  EXPECT_EQ(breaker.probe_at(), t + 1h);
  breaker.told(t + 2s, t + 60s);
  EXPECT_EQ(breaker.probe_at(), t + 1h);
  breaker.hasten(t + 3s);
  EXPECT_EQ(breaker.probe_at(), t + 3s);
  breaker.probe(t + 3s, 0);
  breaker.ended(t + 4s, breaker.epoch(), Ended::answered);
  EXPECT_TRUE(breaker.closed());
}

TEST(Breaker, ASecondFailureSoonAfterEarnsNoQuickProbe) {
  Breaker breaker = worked();
  for (int i = 0; i < 16; ++i) breaker.ended(t, 0, Ended::fault);
  breaker.probe(t + 100ms, 0);
  breaker.ended(t + 110ms, breaker.epoch(), Ended::answered);
  const std::uint32_t epoch = breaker.epoch();
  for (int i = 0; i < 3; ++i) breaker.ended(t + 120ms, epoch, Ended::fault);
  ASSERT_FALSE(breaker.closed());
  EXPECT_EQ(breaker.probe_at(), t + 1120ms);
}

}  // namespace
}  // namespace vesper::relay
