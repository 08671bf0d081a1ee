#include "stages/admission/slots.hpp"

#include <gtest/gtest.h>

#include <map>

namespace vesper::admission {
namespace {

constexpr Instant start{1000s};

TEST(Slots, TheFirstRefusedComesBackAfterOneSecond) {
  Slots slots;
  EXPECT_EQ(slots.promise(start), 1U);
}

TEST(Slots, ASecondIsPromisedAsOftenAsCapacityAllows) {
  Slots slots;
  slots.set_capacity(100);
  std::map<std::uint32_t, int> promised;
  for (int i = 0; i < 1050; ++i) ++promised[slots.promise(start)];
  ASSERT_EQ(promised.size(), 10U);
  for (const auto& [second, count] : promised) EXPECT_EQ(count, 105) << second;
}

TEST(Slots, WhatWasPromisedIsCountedInLaterSecondsToo) {
  Slots slots;
  slots.set_capacity(100);
  for (int i = 0; i < 210; ++i) (void)slots.promise(start);  // seconds 1 and 2 are full
  EXPECT_EQ(slots.promise(start + 1s), 2U) << "second 3, seen from second 1";
  EXPECT_EQ(slots.outstanding(start + 1s), 105U + 1U);
}

TEST(Slots, TimeFreesSeconds) {
  Slots slots;
  slots.set_capacity(100);
  for (int i = 0; i < 1050; ++i) (void)slots.promise(start);
  EXPECT_EQ(slots.promise(start + 20s), 1U);
}

TEST(Slots, IsBoundedByItsHorizon) {
  Slots slots;
  slots.set_capacity(0);
  for (int i = 0; i < 20'000; ++i) {
    const auto seconds = slots.promise(start + i * 1us);
    ASSERT_GE(seconds, 1U);
    ASSERT_LE(seconds, Slots::horizon_s);
  }
}

}  // namespace
}  // namespace vesper::admission
