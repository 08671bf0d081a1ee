#include "io/sqlite/commit_pace.hpp"

#include <gtest/gtest.h>

namespace vesper {
namespace {

constexpr Instant start{1000s};
constexpr std::size_t group_max = 1024;

struct Pace : testing::Test {
  void show(std::size_t entries, Duration fixed, Duration each) {
    const Instant began = now;
    pace.begin(entries, began);
    now += fixed + each * static_cast<std::int64_t>(entries);
    pace.end(entries, began, now);
  }
  [[nodiscard]] double wait_ms(std::size_t queued) const {
    return std::chrono::duration<double, std::milli>(pace.predict(queued, group_max, now).wait)
        .count();
  }
  CommitPace pace;
  Instant now = start;
};

TEST_F(Pace, PredictsNothingBeforeTheFirstGroup) {
  const auto load = pace.predict(100, group_max, now);
  EXPECT_EQ(load.wait, Duration::zero());
  EXPECT_EQ(load.entries, 100U);
}

TEST_F(Pace, TellsTheFixedCostFromTheCostOfEach) {
  for (std::size_t i = 0; i < 200; ++i) show(1 + i * 7 % 50, 2ms, 100us);
  const auto load = pace.predict(100, group_max, now);
  EXPECT_NEAR(wait_ms(100), 10.0, 0.5);
  EXPECT_NEAR(std::chrono::duration<double>(load.commit).count(), 0.0021, 0.0002);
  EXPECT_NEAR(load.rate_per_s, 1024 / (0.002 + 0.1024), 300);
}

TEST_F(Pace, WholeGroupsAheadCostTheirFixedPartToo) {
  for (std::size_t i = 0; i < 200; ++i) show(1 + i * 7 % 50, 2ms, 100us);
  EXPECT_NEAR(wait_ms(2 * group_max), 2 * (2 + 102.4), 5.0);
}

TEST_F(Pace, EqualGroupsAreMostlyTakenAsCostOfEach) {
  for (int i = 0; i < 50; ++i) show(10, 5ms, 0us);
  EXPECT_NEAR(wait_ms(100), 45.0, 1.0);
}

// Sixty phones that a reminder wakes share one sync.
TEST_F(Pace, ABurstAfterLoneEntriesIsNotTakenForAsManyCommits) {
  for (int i = 0; i < 50; ++i) show(1, 20ms, 0us);
  EXPECT_EQ(wait_ms(60), 0.0);
  EXPECT_NEAR(std::chrono::duration<double>(pace.predict(60, group_max, now).commit).count(), 0.02,
              0.001);
}

TEST_F(Pace, CountsWhatIsLeftOfTheGroupUnderWay) {
  for (std::size_t i = 0; i < 200; ++i) show(1 + i * 7 % 50, 2ms, 100us);
  pace.begin(30, now);
  EXPECT_NEAR(wait_ms(0), 5.0, 0.3);
  now += 4ms;
  EXPECT_NEAR(wait_ms(0), 1.0, 0.3);
  now += 100ms;
  EXPECT_EQ(wait_ms(0), 0.0);
}

TEST_F(Pace, AStalledGroupLastsAsLongAgain) {
  show(10, 1ms, 10us);
  pace.begin(10, now);
  now += 499ms;
  EXPECT_EQ(wait_ms(0), 0.0);
  now += 1s;
  EXPECT_NEAR(wait_ms(0), 1499, 1);
}

TEST_F(Pace, FollowsADiskThatBecomesSlow) {
  for (std::size_t i = 0; i < 200; ++i) show(1 + i * 7 % 50, 1ms, 10us);
  for (std::size_t i = 0; i < 100; ++i) show(1 + i * 7 % 50, 1ms, 1ms);
  EXPECT_GT(wait_ms(100), 80.0);
}

}  // namespace
}  // namespace vesper
