#include <gtest/gtest.h>

#include "base/wall_time.hpp"
#include "stages/fhir/check/check_test_judge.hpp"

namespace vesper {
namespace {

using test::fine;
using test::Lines;
using test::value_of;

Value text(std::string_view s) {
  return value_of(ValueKind::string, s);
}

class CardinalityTest : public testing::Test, public test::Judge {
 protected:
  ResponseItem ask(std::string_view id) { return with.question(id, {text("x")}); }
};

TEST_F(CardinalityTest, ARequiredQuestionMustBeAnswered) {
  make.add("q", ItemType::string).required = true;
  EXPECT_EQ(of({ask("q")}), fine);
  EXPECT_EQ(of(std::initializer_list<ResponseItem>{}), Lines{"QuestionnaireResponse: required"});
  EXPECT_EQ(of({with.question("q", {})}), Lines{"QuestionnaireResponse.item[0]: required"});
}

TEST_F(CardinalityTest, ARequiredGroupNeedsAChild) {
  make.add("g", ItemType::group).required = true;
  make.add("q", ItemType::string, 0);
  EXPECT_EQ(of({with.group("g", {ask("q")})}), fine);
  EXPECT_EQ(of({with.group("g", {})}), Lines{"QuestionnaireResponse.item[0]: required"});
  EXPECT_EQ(of(std::initializer_list<ResponseItem>{}), Lines{"QuestionnaireResponse: required"});
}

TEST_F(CardinalityTest, ARequiredQuestionCountsOnceItsGroupIsThere) {
  make.add("g", ItemType::group);
  make.add("q", ItemType::string, 0).required = true;
  make.add("r", ItemType::string, 0);
  EXPECT_EQ(of(std::initializer_list<ResponseItem>{}), fine);
  EXPECT_EQ(of({with.group("g", {ask("r")})}), Lines{"QuestionnaireResponse.item[0]: required"});
}

TEST_F(CardinalityTest, OccurrencesAreCountedIncludingTheirEdges) {
  auto& item = make.add("q", ItemType::string);
  item.repeats = true;
  item.min_occurs = 2;
  item.max_occurs = 3;
  EXPECT_EQ(of({with.question("q", {text("1")})}),
            Lines{"QuestionnaireResponse.item[0]: required"});
  EXPECT_EQ(of({with.question("q", {text("1"), text("2")})}), fine);
  EXPECT_EQ(of({with.question("q", {text("1"), text("2"), text("3")})}), fine);
  EXPECT_EQ(of({with.question("q", {text("1"), text("2"), text("3"), text("4")})}),
            Lines{"QuestionnaireResponse.item[0]: structure"});
  EXPECT_EQ(of(std::initializer_list<ResponseItem>{}), Lines{"QuestionnaireResponse: required"});
}

TEST_F(CardinalityTest, RepetitionsOfAGroupAreCounted) {
  auto& group = make.add("g", ItemType::group);
  group.repeats = true;
  group.max_occurs = 2;
  make.add("q", ItemType::string, 0);
  const auto row = with.group("g", {ask("q")});
  EXPECT_EQ(of({row, row}), fine);
  EXPECT_EQ(of({row, row, row}), Lines{"QuestionnaireResponse.item[0]: structure"});
}

TEST_F(CardinalityTest, BelowCompletedCardinalityWarnsAndTheRestStillFails) {
  make.add("must", ItemType::string).required = true;
  auto& few = make.add("few", ItemType::string);
  few.min_occurs = 2;
  make.add("one", ItemType::string);
  auto& length = make.add("short", ItemType::string);
  length.max_length = 1;
  for (const auto early :
       {ResponseStatus::in_progress, ResponseStatus::stopped, ResponseStatus::entered_in_error}) {
    status = early;
    EXPECT_EQ(
        of({with.question("one", {text("1"), text("2")}), with.question("short", {text("12")})}),
        (Lines{"warning QuestionnaireResponse: required", "warning QuestionnaireResponse: required",
               "warning QuestionnaireResponse.item[0]: structure",
               "QuestionnaireResponse.item[1].answer[0].value: too-long"}));
  }
  for (const auto final : {ResponseStatus::completed, ResponseStatus::amended}) {
    status = final;
    EXPECT_EQ(of({ask("one"), ask("short")}),
              (Lines{"QuestionnaireResponse: required", "QuestionnaireResponse: required"}));
  }
}

TEST_F(CardinalityTest, AnExclusiveOptionStandsAlone) {
  auto& item = make.add("q", ItemType::choice);
  item.repeats = true;
  item.options = {test::coded("a"), test::coded("b"), test::coded("none")};
  item.options[2].exclusive = true;
  EXPECT_EQ(of({with.question("q", {test::coding_of("none")})}), fine);
  EXPECT_EQ(of({with.question("q", {test::coding_of("a"), test::coding_of("b")})}), fine);
  EXPECT_EQ(of({with.question("q", {test::coding_of("a"), test::coding_of("none")})}),
            Lines{"QuestionnaireResponse.item[0].answer[1].value: invariant"});
}

TEST_F(CardinalityTest, AuthoredOutsideTheEffectivePeriodWarns) {
  make.add("q", ItemType::string);
  make.form().effective_from = parse_date_time("2022-01-01")->utc;
  make.form().effective_to = parse_date_time("2022-12-31")->utc;
  const auto at = [&](std::string_view when) {
    authored = parse_date_time(when)->utc;
    return of({ask("q")});
  };
  EXPECT_EQ(at("2021-12-31"), Lines{"warning QuestionnaireResponse.authored: invalid"});
  EXPECT_EQ(at("2022-01-01"), fine);
  EXPECT_EQ(at("2022-12-31"), fine);
  EXPECT_EQ(at("2023-01-01"), Lines{"warning QuestionnaireResponse.authored: invalid"});
}

}  // namespace
}  // namespace vesper
