// Goal: the ledger sees each way in which a promise can be broken, and nothing where none is.
// Method: three diaries of two patients that went well; each case spoils one thing.
#include "drill/ledger.hpp"

#include <gtest/gtest.h>

namespace vesper::drill {
namespace {

Uuid id(std::uint8_t n) {
  Uuid made;
  made.bytes[15] = n;
  return made;
}

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() {
    ledger.tried(1, id(1), 10ms, 12ms, Told::accepted);
    ledger.tried(1, id(2), 20ms, 25ms, Told::accepted);
    ledger.tried(2, id(3), 11ms, 14ms, Told::accepted);
  }
  Ledger ledger;
};

TEST_F(LedgerTest, FindsNothingWhereAllIsWell) {
  const LedgerVerdict verdict = ledger.judge(std::vector{id(1), id(3), id(2)});
  EXPECT_EQ(verdict, (LedgerVerdict{.acknowledged = 3}));
}

TEST_F(LedgerTest, FindsAnAcknowledgedDiaryThatWasLost) {
  const LedgerVerdict verdict = ledger.judge(std::vector{id(1), id(3)});
  EXPECT_EQ(verdict.lost, 1U);
  EXPECT_EQ(verdict.examples, std::vector{id(2)});
}

TEST_F(LedgerTest, FindsADiaryThatTookEffectTwice) {
  EXPECT_EQ(ledger.judge(std::vector{id(1), id(3), id(2), id(1)}).doubled, 1U);
}

TEST_F(LedgerTest, FindsAPatientsDiariesInTheWrongOrder) {
  const LedgerVerdict verdict = ledger.judge(std::vector{id(2), id(1), id(3)});
  EXPECT_EQ(verdict.misordered, 1U);
  EXPECT_EQ(verdict.examples, std::vector{id(2)});
}

TEST_F(LedgerTest, KnowsNoOrderOfDiariesThatWereUnderWayTogether) {
  ledger.tried(7, id(8), 30ms, 40ms, Told::accepted);
  ledger.tried(7, id(9), 35ms, 36ms, Told::accepted);
  EXPECT_EQ(ledger.judge(std::vector{id(1), id(2), id(3), id(9), id(8)}).misordered, 0U);
  EXPECT_EQ(ledger.judge(std::vector{id(1), id(2), id(3), id(8), id(9)}).misordered, 0U);
}

TEST_F(LedgerTest, FindsARefusedDiaryThatTookEffect) {
  ledger.tried(3, id(4), 30ms, 31ms, Told::refused);
  EXPECT_EQ(ledger.judge(std::vector{id(1), id(2), id(3)}).refused, 1U);
  EXPECT_EQ(ledger.judge(std::vector{id(1), id(2), id(3), id(4)}).unexpected, 1U);
}

TEST_F(LedgerTest, FindsADiaryThatNobodySent) {
  EXPECT_EQ(ledger.judge(std::vector{id(1), id(2), id(3), id(99)}).unexpected, 1U);
}

TEST_F(LedgerTest, TakesAnUnansweredDiaryEitherWayAndARefusedOneThatWasTakenLater) {
  ledger.tried(3, id(4), 30ms, 31ms, Told::nothing);
  ledger.tried(4, id(5), 30ms, 31ms, Told::refused);
  ledger.tried(4, id(5), 50ms, 55ms, Told::accepted);
  const LedgerVerdict without = ledger.judge(std::vector{id(1), id(2), id(3), id(5)});
  EXPECT_EQ(without, (LedgerVerdict{.acknowledged = 4, .open = 1}));
  EXPECT_EQ(ledger.judge(std::vector{id(1), id(2), id(3), id(5), id(4)}), without);
}

}  // namespace
}  // namespace vesper::drill
