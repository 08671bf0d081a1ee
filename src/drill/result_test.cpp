// Goal: a run is judged by its promises and by the last run, and a kept report can be read again.
#include "drill/result.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace vesper::drill {
namespace {

Result run() {
  Result result;
  result.drill = "disk-full";
  result.hold("a \"promise\"", true, "0 of 7");
  result.figures = {{"after_p99_ms", 12.5, 2, 10}, {"drain_s", 1, 2, 3}};
  return result;
}

TEST(DrillResult, FailsByOneBrokenPromise) {
  Result result = run();
  EXPECT_TRUE(result.passed());
  result.hold("another", false, "1 of 7");
  EXPECT_FALSE(result.passed());
  EXPECT_NE(to_text(result).find("BROKEN another: 1 of 7"), std::string::npos);
}

TEST(DrillResult, HoldsEachPromiseOfTheLedgerByItself) {
  using Verdict = LedgerVerdict;
  for (auto breach :
       {&Verdict::lost, &Verdict::doubled, &Verdict::misordered, &Verdict::unexpected}) {
    Verdict verdict{.acknowledged = 3};
    Result well;
    hold_ledger(well, verdict);
    EXPECT_TRUE(well.passed());
    verdict.*breach = 1;
    Result spoilt;
    hold_ledger(spoilt, verdict);
    EXPECT_FALSE(spoilt.passed());
  }
  Result idle;
  hold_ledger(idle, {});
  EXPECT_FALSE(idle.passed()) << "a run without diaries proves nothing";
}

TEST(DrillResult, IsWorseOnlyBeyondBothRatioAndSlack) {
  Result now = run();
  const auto worse_than = [&](double before) {
    return !regressions(now, {{"after_p99_ms", before}}).empty();
  };
  EXPECT_FALSE(worse_than(6.25));  // twice, and 6.25 more
  EXPECT_FALSE(worse_than(2.5));   // five times, and exactly 10 more
  EXPECT_TRUE(worse_than(2.4));
  now.figures[0].value = 100;
  EXPECT_FALSE(worse_than(50));
  EXPECT_TRUE(worse_than(49.9));
  EXPECT_TRUE(regressions(now, {{"another", 1}}).empty());
}

TEST(DrillResult, IsReadAgainFromWhatItWrote) {
  const std::string text = to_json(run());
  const auto document = nlohmann::json::parse(text);
  EXPECT_EQ(document["outcome"], "passed");
  EXPECT_EQ(document["findings"][0]["promise"], "a \"promise\"");
  const auto figures = figures_of(text);
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->at("after_p99_ms"), 12.5);
  EXPECT_FALSE(figures_of("{}"));
  EXPECT_FALSE(figures_of("[1"));
}

}  // namespace
}  // namespace vesper::drill
