#include "stages/admission/read_line.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vesper::admission {
namespace {

constexpr Instant start{1000s};
using As = ReadLine::As;
using Outcome = ReadLine::Outcome;

struct Line : testing::Test {
  explicit Line(const ReadRules& rules = {}) : line(rules), places(100'000) {}
  void enter(std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) line.enter(places[i], now, now);
  }
  /// Reads one as an admitted request that takes `took`.
  ReadLine::Next serve(Duration took) {
    const auto next = line.next(now);
    if (next.place == nullptr) return next;
    now += took;
    line.done(next.as, next.as == As::turn ? Outcome::admitted : Outcome::refused, took);
    return next;
  }
  /// Gives the surplus time.
  void budget() {
    for (int i = 0; i < 100; ++i) line.done(As::turn, Outcome::refused, 1ms);
  }
  /// Teaches it that an admitted request takes `each`.
  void teach(Duration each) {
    for (int i = 0; i < 100; ++i) {
      enter(0, 1);
      serve(each);
    }
  }
  std::size_t index_of(const ReadLine::Next& next) {
    return static_cast<std::size_t>(next.place - places.data());
  }
  ReadLine line;
  std::vector<ReadPlace> places;
  Instant now = start;
};

TEST_F(Line, ServesInTheOrderOfArrival) {
  enter(0, 10);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(index_of(serve(10us)), i);
  EXPECT_EQ(serve(10us).place, nullptr);
  EXPECT_TRUE(line.empty());
}

TEST_F(Line, GivesAsManyTurnsAsCanBeServedInTime) {
  teach(100us);
  const std::size_t most = 60ms / 100us;
  EXPECT_EQ(line.turns_max(now), most);
  enter(0, most + 5);
  EXPECT_EQ(line.turns(), most);
  EXPECT_EQ(line.surplus(), 5U);
}

TEST_F(Line, AlwaysGivesSomeTurns) {
  teach(1s);
  EXPECT_EQ(line.turns_max(now), ReadRules{}.turns_in_burst);
}

TEST_F(Line, OneThatLeavesIsForgotten) {
  enter(0, 3);
  line.leave(places[1]);
  line.leave(places[1]);
  EXPECT_EQ(index_of(serve(1us)), 0U);
  EXPECT_EQ(index_of(serve(1us)), 2U);
  EXPECT_TRUE(line.empty());
}

TEST_F(Line, WhoWaitedTooLongLosesHisTurn) {
  teach(1ms);
  enter(0, 10);
  now += 101ms;
  enter(10, 11);
  std::vector<As> as(11);
  for (int i = 0; i < 11; ++i) {
    const auto next = serve(1ms);
    as[index_of(next)] = next.as;
  }
  EXPECT_EQ(as[0], As::surplus);
  EXPECT_EQ(as[9], As::surplus);
  EXPECT_EQ(as[10], As::turn);
}

TEST_F(Line, TheSurplusGetsItsShareOfTheTimeAndNoMore) {
  constexpr Duration next_took = 50us;
  teach(next_took);
  Duration told{}, all{};
  std::size_t at = 0;
  enter(0, 20'000);
  at = 20'000;
  const Instant began = now;
  while (now - began < 1s) {
    if (line.turns() < 100) enter(at, at + 50), at += 50;
    const auto next = serve(next_took);
    if (next.as != As::turn) told += next_took;
    all += next_took;
    if (next.place != nullptr) next.place->where = ReadPlace::Where::nowhere;
  }
  EXPECT_NEAR(static_cast<double>(told.count()) / static_cast<double>(all.count()), 0.3, 0.02);
}

// With a turn for 600, the rest is surplus.
TEST_F(Line, TheSurplusIsToldOldestFirstAndNewestFirstWhenThatIsTooLate) {
  teach(100us);
  enter(0, 610);
  budget();
  EXPECT_EQ(index_of(line.next(now)), 600U);
  now += 10ms;
  enter(610, 620);
  EXPECT_EQ(index_of(line.next(now)), 601U);
  now += 30ms;  // in time still
  EXPECT_EQ(index_of(line.next(now)), 602U);
  now += 300ms;
  enter(620, 1300);
  const auto newest = line.next(now);
  EXPECT_EQ(newest.as, As::surplus);
}

struct OpenLine : Line {
  OpenLine() : Line({.enabled = false}) {}
};

TEST_F(OpenLine, SwitchedOffItHasNoSurplus) {
  teach(100ms);
  enter(0, 1000);
  EXPECT_EQ(line.surplus(), 0U);
  now += 1h;
  EXPECT_EQ(serve(1us).as, As::turn);
}

}  // namespace
}  // namespace vesper::admission
