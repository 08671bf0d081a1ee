#include "stages/fhir/check/score.hpp"

#include <gtest/gtest.h>

#include "stages/fhir/check/check_test_form.hpp"

namespace vesper {
namespace {

using test::coded;
using test::coding_of;
using test::value_of;

// Three questions with options 0 to 3, a number, and a score over all four.
class ScoreTest : public testing::Test {
 protected:
  ScoreTest() {
    make_.add("group", ItemType::group);
    for (const auto* id : {"q1", "q2", "q3"})
      make_.add(id, ItemType::choice, 0).options = {coded("never", "0"), coded("some", "1"),
                                                    coded("often", "2"), coded("unsure")};
    make_.add("hours", ItemType::decimal, 0);
    Score score;
    score.id = "total";
    score.items = {1, 2, 3, 4};
    score.bands = {{"0", "4", {"urn:band", {}, "low", {}}},
                   {"4.1", "9", {"urn:band", {}, "high", {}}}};
    make_.form().scores = {score};
  }
  std::span<const ScoreSum> sums(std::initializer_list<ResponseItem> children) {
    return sum_scores(make_.form(), response_.items({response_.group("group", children)}), arena_);
  }
  ResponseItem pick(std::string_view id, std::string_view code) {
    return response_.question(id, {coding_of(code)});
  }
  ResponseItem hours(std::string_view digits) {
    return response_.question("hours", {value_of(ValueKind::decimal, digits)});
  }
  test::FormMaker make_;
  test::ResponseMaker response_;
  Arena arena_;
};

TEST_F(ScoreTest, OptionScoresAndNumbersAddUpExactly) {
  const auto result =
      sums({pick("q1", "some"), pick("q2", "often"), pick("q3", "never"), hours("0.9")});
  ASSERT_EQ(result.size(), 1U);
  EXPECT_EQ(result[0].score, &make_.form().scores[0]);
  EXPECT_EQ(result[0].total.reveal(), "3.9");
  ASSERT_NE(result[0].band, nullptr);
  EXPECT_EQ(result[0].band->meaning.code, "low");
}

TEST_F(ScoreTest, BandsIncludeBothTheirEdges) {
  const auto band = [&](std::string_view digits) {
    const auto result =
        sums({pick("q1", "never"), pick("q2", "never"), pick("q3", "never"), hours(digits)});
    return result.size() == 1 && result[0].band != nullptr ? result[0].band->meaning.code : "none";
  };
  EXPECT_EQ(band("0"), "low");
  EXPECT_EQ(band("4"), "low");
  EXPECT_EQ(band("4.00"), "low");
  EXPECT_EQ(band("4.05"), "none");
  EXPECT_EQ(band("4.1"), "high");
  EXPECT_EQ(band("9"), "high");
  EXPECT_EQ(band("9.01"), "none");
}

TEST_F(ScoreTest, AMissingAnswerOrAnOptionWithoutAValueLeavesNoTotal) {
  EXPECT_TRUE(sums({pick("q1", "some"), pick("q2", "often"), hours("1")}).empty());
  EXPECT_TRUE(
      sums({pick("q1", "some"), pick("q2", "often"), pick("q3", "unsure"), hours("1")}).empty());
  EXPECT_TRUE(
      sums({pick("q1", "some"), pick("q2", "often"), pick("q3", "other"), hours("1")}).empty());
  EXPECT_TRUE(sums({}).empty());
}

TEST_F(ScoreTest, ACodeOfAnotherSystemIsNotTheOption) {
  const auto wrong = response_.question("q3", {coding_of("never", "urn:else")});
  EXPECT_TRUE(sums({pick("q1", "some"), pick("q2", "often"), wrong, hours("1")}).empty());
}

TEST_F(ScoreTest, SeveralAnswersToOneQuestionAllCount) {
  const auto both = response_.question("q3", {coding_of("some"), coding_of("often")});
  const auto result = sums({pick("q1", "some"), pick("q2", "some"), both, hours("1")});
  ASSERT_EQ(result.size(), 1U);
  EXPECT_EQ(result[0].total.reveal(), "6");
}

TEST_F(ScoreTest, AFormWithoutScoresHasNone) {
  make_.form().scores.clear();
  EXPECT_TRUE(sums({pick("q1", "some")}).empty());
}

}  // namespace
}  // namespace vesper
