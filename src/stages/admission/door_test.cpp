#include "stages/admission/door.hpp"

#include <gtest/gtest.h>

namespace vesper::admission {
namespace {

constexpr Instant start{1000s};

Asked diary(Duration waited, Duration journal_wait = 0ms) {
  return {.what = TrafficClass::submissions,
          .waited = waited,
          .journal_wait = journal_wait,
          .journal_queue = journal_wait,
          .journal_commit = 1ms,
          .remaining = 10s};
}

// Lets `asked` stand at the door for 300 ms.
Instant overload(Door& door, const Asked& asked) {
  for (Duration t{}; t < 300ms; t += 1ms) (void)door.ask(asked, start + t);
  return start + 300ms;
}

TEST(Door, AdmitsUpToTheNormalLimitAndNotPastIt) {
  Door door{{}};
  EXPECT_EQ(door.ask(diary(100ms), start).verdict, Verdict::admit);
  const auto refused = door.ask(diary(100ms + 1ns), start);
  EXPECT_EQ(refused.verdict, Verdict::crowded);
  EXPECT_EQ(refused.why, RefusedFor::loop_wait);
}

TEST(Door, AdmitsUpToTheJournalsLimit) {
  Door door{{}};
  EXPECT_EQ(door.ask(diary(0ms, 51ms), start).verdict, Verdict::admit);
  EXPECT_EQ(door.ask(diary(0ms, 51ms + 1ns), start).why, RefusedFor::journal_wait);
}

TEST(Door, BearsWithADiskThatIsLateTwiceAsLongAsWithAQueue) {
  Door door{{}};
  Asked asked = diary(0ms, 101ms);
  asked.journal_queue = 0ms;
  const Instant now = overload(door, asked);
  EXPECT_FALSE(door.overloaded(now)) << "nobody queues";
  EXPECT_EQ(door.ask(asked, now).verdict, Verdict::admit);
  asked.journal_wait += 1ns;
  EXPECT_EQ(door.ask(asked, now).why, RefusedFor::journal_wait);
}

TEST(Door, BearsWithNoLateDiskUnderOverload) {
  Door door{{}};
  const Instant now = overload(door, diary(0ms, 20ms));
  Asked asked = diary(0ms, 16ms);
  asked.journal_queue = 0ms;
  EXPECT_EQ(door.ask(asked, now).verdict, Verdict::admit);
  asked.journal_wait += 1ns;
  EXPECT_EQ(door.ask(asked, now).why, RefusedFor::journal_wait);
}

TEST(Door, LowersTheLimitsUnderStandingDelay) {
  Door door{{}};
  const Instant now = overload(door, diary(60ms, 20ms));
  EXPECT_TRUE(door.overloaded(now));
  EXPECT_EQ(door.ask(diary(20ms, 16ms), now).verdict, Verdict::admit);
  EXPECT_EQ(door.ask(diary(20ms + 1ns), now).why, RefusedFor::loop_wait);
  EXPECT_EQ(door.ask(diary(0ms, 16ms + 1ns), now).why, RefusedFor::journal_wait);
}

// The group that is being synced is nobody's queue.
TEST(Door, ASlowDiskAtLowLoadRefusesNobody) {
  Door door{{}};
  Asked asked = diary(0ms, 300ms);
  asked.journal_commit = 300ms;
  const Instant now = overload(door, asked);
  EXPECT_FALSE(door.overloaded(now));
  EXPECT_EQ(door.ask(asked, now).verdict, Verdict::admit);
}

TEST(Door, NeverRefusesHealth) {
  Door door{{}};
  const Instant now = overload(door, diary(1s, 1s));
  EXPECT_EQ(door.ask({.what = TrafficClass::health, .waited = 1h, .remaining = 0s}, now).verdict,
            Verdict::admit);
}

TEST(Door, RefusesReadsBeforeDiariesAndBulkBeforeReads) {
  Door door{{}};
  const auto verdict = [&](TrafficClass what, Duration waited) {
    return door.ask({.what = what, .waited = waited, .remaining = 5s}, start).verdict;
  };
  EXPECT_EQ(verdict(TrafficClass::exports, 25ms), Verdict::admit);
  EXPECT_EQ(verdict(TrafficClass::exports, 26ms), Verdict::crowded);
  EXPECT_EQ(verdict(TrafficClass::reads, 50ms), Verdict::admit);
  EXPECT_EQ(verdict(TrafficClass::reads, 51ms), Verdict::crowded);
  EXPECT_EQ(verdict(TrafficClass::submissions, 51ms), Verdict::admit);
}

TEST(Door, AReadDoesNotWaitForTheJournal) {
  Door door{{}};
  const Asked read{.what = TrafficClass::reads, .journal_wait = 1h, .remaining = 1s};
  EXPECT_EQ(door.ask(read, start).verdict, Verdict::admit);
}

TEST(Door, RefusesWhatCannotBeInTime) {
  Door door{{}};
  Asked asked = diary(0ms, 20ms);
  asked.remaining = 21ms + 1ns;
  EXPECT_EQ(door.ask(asked, start).verdict, Verdict::admit);
  asked.remaining = 21ms;
  const auto refused = door.ask(asked, start);
  EXPECT_EQ(refused.verdict, Verdict::refuse) << "no share can make up for lost time";
  EXPECT_EQ(refused.why, RefusedFor::deadline);
}

TEST(Door, SwitchedOffItRefusesNothing) {
  Door door{{.enabled = false}};
  EXPECT_EQ(door.ask(diary(1h, 1h), start).verdict, Verdict::admit);
}

}  // namespace
}  // namespace vesper::admission
