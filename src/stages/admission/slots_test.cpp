#include "stages/admission/slots.hpp"

#include <gtest/gtest.h>

#include <map>

namespace vesper::admission {
namespace {

constexpr Instant start{1000s};

TEST(Slots, TheFirstRefusedComesBackAfterOneSecond) {
  Slots slots;
  EXPECT_EQ(slots.promise(start, 0), 1U);
}

TEST(Slots, ASecondIsPromisedAsOftenAsCapacityAllows) {
  Slots slots;
  slots.set_part(0, 100);
  std::map<std::uint32_t, int> promised;
  for (int i = 0; i < 970; ++i) ++promised[slots.promise(start, 0)];
  ASSERT_EQ(promised.size(), 10U);
  for (const auto& [second, count] : promised) EXPECT_EQ(count, 97) << second;
}

TEST(Slots, WhatWasPromisedIsCountedInLaterSecondsToo) {
  Slots slots;
  slots.set_part(0, 100);
  for (int i = 0; i < 194; ++i) (void)slots.promise(start, 0);  // seconds 1 and 2 are full
  EXPECT_EQ(slots.promise(start + 1s, 0), 2U) << "second 3, seen from second 1";
  EXPECT_EQ(slots.outstanding(start + 1s), 97U + 1U);
}

TEST(Slots, TimeFreesSeconds) {
  Slots slots;
  slots.set_part(0, 100);
  for (int i = 0; i < 970; ++i) (void)slots.promise(start, 0);
  EXPECT_EQ(slots.promise(start + 20s, 0), 1U);
}

TEST(Slots, PartsAddUpAndWhatIsBehindThemLimitsThem) {
  Slots slots;
  EXPECT_EQ(slots.capacity(), Slots::capacity_unknown);
  slots.set_part(0, 100);
  slots.set_part(3, 50);
  EXPECT_EQ(slots.capacity(), 150);
  for (int i = 0; i < 97; ++i) EXPECT_EQ(slots.promise(start, 100), 1U);
  EXPECT_EQ(slots.promise(start, 100), 2U);
}

TEST(Slots, IsBoundedByItsHorizon) {
  Slots slots;
  slots.set_part(0, 1);
  for (int i = 0; i < 20'000; ++i) {
    const auto seconds = slots.promise(start + i * 1us, 0);
    ASSERT_GE(seconds, 1U);
    ASSERT_LE(seconds, Slots::horizon_s);
  }
}

}  // namespace
}  // namespace vesper::admission
