#include "stages/admission/cold_checks.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace vesper::admission {
namespace {

constexpr Duration es256 = 64us;

TEST(ColdChecks, AFloodOfOneClaimGetsNoMoreThanItsBudget) {
  ColdChecks checks;
  Duration spent{};
  for (Instant now{1h}; now < Instant{1h + 1s}; now += 10us)
    if (checks.admit(1, es256, 30, now)) spent += es256;
  EXPECT_LE(spent, 300ms + 2 * es256);
  EXPECT_GE(spent, 250ms);
}

// Negative control beside it: without partitions the quiet trial would get next to nothing.
TEST(ColdChecks, AQuietTrialIsCheckedWhileAnotherFloods) {
  for (const std::uint64_t quiet : {1ull, 2ull}) {  // 1 is the flood's own partition
    ColdChecks checks;
    int asked = 0, admitted = 0;
    Random random{7};
    for (Instant now{1h}; now < Instant{1h + 2s}; now += 5us) {
      (void)checks.admit(1, es256, 30, now);
      if (!random.chance(0.001)) continue;
      ++asked;
      admitted += checks.admit(quiet, es256, 30, now) ? 1 : 0;
    }
    if (quiet == 2)
      EXPECT_EQ(admitted, asked);
    else
      EXPECT_LT(admitted, asked / 2);
  }
}

TEST(ColdChecks, ForgedClaimsOfEveryKindLeaveTheRestOfTheTime) {
  ColdChecks checks;
  Duration spent{};
  Random random{3};
  for (Instant now{1h}; now < Instant{1h + 1s}; now += 5us)
    if (checks.admit(random.next(), es256, 30, now)) spent += es256;
  EXPECT_LE(spent, 450ms + 64 * 10 * es256);
}

TEST(ColdChecks, AnotherWindowHasAnotherBudget) {
  ColdChecks checks;
  const Instant now{1h};
  while (checks.admit(1, es256, 30, now)) {
  }
  EXPECT_FALSE(checks.admit(1, es256, 30, now + 99ms));
  EXPECT_TRUE(checks.admit(1, es256, 30, now + ColdChecks::window));
}

}  // namespace
}  // namespace vesper::admission
