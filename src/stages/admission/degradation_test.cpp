#include "stages/admission/degradation.hpp"

#include <gtest/gtest.h>

#include "stages/admission/journal_breaker.hpp"

namespace vesper::admission {
namespace {

using enum DegradationLevel;

// Holds a pressure for a time, in ticks of 100 ms; the level at its end.
DegradationLevel hold(Degradation& machine, double pressure, Duration time, Instant& now) {
  for (const Instant end = now + time; now < end; now += 100ms)
    (void)machine.observe(pressure, now);
  return machine.level();
}

TEST(Degradation, GoesUpOneLevelAtATimeAndDownAgain) {
  Degradation machine;
  Instant now{1h};
  EXPECT_EQ(hold(machine, 2, 900ms, now), normal);
  EXPECT_EQ(hold(machine, 2, 300ms, now), exports_off);
  EXPECT_EQ(machine.why(), Degradation::Why::pressure);
  EXPECT_EQ(hold(machine, 2, 2200ms, now), reads_off);
  EXPECT_EQ(hold(machine, 1.9, 60s, now), reads_off);  // delivery goes on while the door holds
  EXPECT_EQ(hold(machine, 2, 5200ms, now), derivation_deferred);
  EXPECT_EQ(hold(machine, 3, 60s, now), derivation_deferred);  // diaries are refused for more only
  EXPECT_EQ(hold(machine, 50, 6s, now), refuse);
  EXPECT_EQ(hold(machine, 0, 5200ms, now), derivation_deferred);
  EXPECT_EQ(hold(machine, 0, 20s, now), normal);
  EXPECT_EQ(machine.why(), Degradation::Why::calm);
}

TEST(Degradation, APressureThatComesAndGoesMovesNothing) {
  Degradation machine;
  Instant now{1h};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(hold(machine, 2, 500ms, now), normal);
    EXPECT_EQ(hold(machine, 0.7, 200ms, now), normal);
  }
  hold(machine, 2, 1200ms, now);
  ASSERT_EQ(machine.level(), exports_off);
  EXPECT_EQ(hold(machine, 0.7, 60s, now), exports_off);  // between both thresholds it stays
}

TEST(Degradation, WhatAPersonChoseStaysUntilItIsLeftToPressure) {
  Degradation machine;
  Instant now{1h};
  machine.set(reads_off, now);
  EXPECT_EQ(hold(machine, 0, 60s, now), reads_off);
  EXPECT_EQ(hold(machine, 99, 60s, now), reads_off);
  EXPECT_EQ(machine.why(), Degradation::Why::operator_);
  machine.set({}, now);
  EXPECT_EQ(machine.level(), reads_off);
  EXPECT_EQ(hold(machine, 0, 11s, now), normal);
}

TEST(Degradation, WithoutAutomaticsPressureRaisesNothing) {
  Degradation machine;
  Instant now{1h};
  machine.allow_automatic(false);
  EXPECT_EQ(hold(machine, 99, 60s, now), normal);
}

TEST(JournalBreaker, OpensOnAStallAndClosesWhenCommitsComeBack) {
  JournalBreaker breaker;
  EXPECT_FALSE(breaker.observe(0s, Instant{1h}));
  EXPECT_FALSE(breaker.observe(999ms, Instant{1h}));
  EXPECT_TRUE(breaker.observe(1s, Instant{1h}));
  EXPECT_TRUE(breaker.observe(30s, Instant{1h + 29s}));
  EXPECT_TRUE(breaker.observe(0s, Instant{1h + 29s + 100ms}));
  EXPECT_FALSE(breaker.observe(10ms, Instant{1h + 29s + 200ms}));
  EXPECT_FALSE(breaker.open());
}

}  // namespace
}  // namespace vesper::admission
