#include "stages/fhir/check/enable.hpp"

#include <gtest/gtest.h>

#include "stages/fhir/check/check_test_judge.hpp"

namespace vesper {
namespace {

using test::coded;
using test::coding_of;
using test::fine;
using test::Lines;
using test::value_of;
using Operator = EnableWhen::Operator;

Value number(std::string_view digits) {
  return value_of(ValueKind::integer, digits);
}

class EnableTest : public testing::Test, public test::Judge {
 protected:
  static EnableWhen when(std::uint32_t question, Operator op, ItemType type, std::string text) {
    EnableWhen condition;
    condition.question = question;
    condition.op = op;
    condition.answer_type = type;
    condition.text = std::move(text);
    return condition;
  }
  static EnableWhen exists(std::uint32_t question, bool wanted) {
    auto condition = when(question, Operator::exists, ItemType::boolean, {});
    condition.boolean = wanted;
    return condition;
  }
  ResponseItem ask(std::string_view id) {
    return with.question(id, {value_of(ValueKind::string, "x")});
  }
  // `pain` (integer, repeating), then `more`, enabled by one condition on it, and required.
  void pain_then_more(EnableWhen condition) {
    make = {};
    make.add("pain", ItemType::integer).repeats = true;
    auto& more = make.add("more", ItemType::string);
    more.required = true;
    more.enable_when = {std::move(condition)};
  }
  // Whether `more` is enabled: it may stand, and must.
  std::string state(std::initializer_list<Value> pain) {
    const auto first = with.question("pain", pain);
    const bool may =
        pain.size() == 0 ? of({ask("more")}).empty() : of({first, ask("more")}).empty();
    const bool must = pain.size() == 0 ? !of(std::initializer_list<ResponseItem>{}).empty()
                                       : !of({first}).empty();
    return may ? must ? "enabled" : "unclear" : must ? "contradiction" : "disabled";
  }
};

TEST_F(EnableTest, EveryOperatorComparesExactly) {
  const auto with_op = [&](Operator op, std::string_view digits) {
    pain_then_more(when(0, op, ItemType::integer, "4"));
    return state({number(digits)});
  };
  const auto expect = [&](Operator op, std::string below, std::string at, std::string above) {
    EXPECT_EQ(with_op(op, "3"), below);
    EXPECT_EQ(with_op(op, "4"), at);
    EXPECT_EQ(with_op(op, "5"), above);
  };
  expect(Operator::equal, "disabled", "enabled", "disabled");
  expect(Operator::not_equal, "enabled", "disabled", "enabled");
  expect(Operator::greater, "disabled", "disabled", "enabled");
  expect(Operator::less, "enabled", "disabled", "disabled");
  expect(Operator::greater_equal, "disabled", "enabled", "enabled");
  expect(Operator::less_equal, "enabled", "enabled", "disabled");
}

TEST_F(EnableTest, WithoutAnAnswerOnlyExistsAndNotEqualDiffer) {
  for (const auto op : {Operator::equal, Operator::greater, Operator::less, Operator::greater_equal,
                        Operator::less_equal}) {
    pain_then_more(when(0, op, ItemType::integer, "4"));
    EXPECT_EQ(state({}), "disabled");
  }
  pain_then_more(when(0, Operator::not_equal, ItemType::integer, "4"));
  EXPECT_EQ(state({}), "unclear");
  pain_then_more(exists(0, false));
  EXPECT_EQ(state({}), "enabled");
  EXPECT_EQ(state({number("1")}), "disabled");
  pain_then_more(exists(0, true));
  EXPECT_EQ(state({}), "disabled");
  EXPECT_EQ(state({number("1")}), "enabled");
}

TEST_F(EnableTest, AnyOfSeveralAnswersMaySatisfy) {
  pain_then_more(when(0, Operator::equal, ItemType::integer, "4"));
  EXPECT_EQ(state({number("1"), number("4")}), "enabled");
  pain_then_more(when(0, Operator::not_equal, ItemType::integer, "4"));
  EXPECT_EQ(state({number("1"), number("4")}), "disabled");
}

TEST_F(EnableTest, AllAndAnyJoinSeveralConditions) {
  for (const bool any : {false, true}) {
    pain_then_more(when(0, Operator::greater, ItemType::integer, "2"));
    auto& more = make.form().items[1];
    more.enable_when.push_back(when(0, Operator::less, ItemType::integer, "5"));
    more.enable_any = any;
    EXPECT_EQ(state({number("3")}), "enabled");
    EXPECT_EQ(state({number("6")}), any ? "enabled" : "disabled");
  }
}

TEST_F(EnableTest, CodingsBooleansTextsAndDatesCompare) {
  const auto enabled_by = [&](ItemType type, EnableWhen condition, Value value) {
    make = {};
    make.add("first", type);
    if (type == ItemType::choice) make.form().items[0].options = {coded("a"), coded("b")};
    make.add("more", ItemType::string).enable_when = {std::move(condition)};
    return of({with.question("first", {value}), ask("more")}).empty();
  };
  auto code = when(0, Operator::equal, ItemType::choice, {});
  code.coding = {"urn:test", {}, "a", {}};
  EXPECT_TRUE(enabled_by(ItemType::choice, code, coding_of("a")));
  EXPECT_FALSE(enabled_by(ItemType::choice, code, coding_of("b")));
  code.coding.system = "urn:else";
  EXPECT_FALSE(enabled_by(ItemType::choice, code, coding_of("a")));
  auto flag = when(0, Operator::equal, ItemType::boolean, {});
  flag.boolean = true;
  EXPECT_TRUE(enabled_by(ItemType::boolean, flag, test::yes_or_no(true)));
  EXPECT_FALSE(enabled_by(ItemType::boolean, flag, test::yes_or_no(false)));
  const auto text = when(0, Operator::equal, ItemType::string, "yes");
  EXPECT_TRUE(enabled_by(ItemType::string, text, value_of(ValueKind::string, "yes")));
  EXPECT_FALSE(enabled_by(ItemType::string, text, value_of(ValueKind::string, "no")));
  const auto day = when(0, Operator::greater_equal, ItemType::date, "2026-01-01");
  EXPECT_TRUE(enabled_by(ItemType::date, day, value_of(ValueKind::date, "2026-01-01")));
  EXPECT_FALSE(enabled_by(ItemType::date, day, value_of(ValueKind::date, "2025-12-31")));
  auto weight = when(0, Operator::greater, ItemType::quantity, "1");
  weight.coding = {"http://unitsofmeasure.org", {}, "kg", {}};
  const auto grams = [](std::string_view digits) {
    return test::quantity_of(digits, "g", "http://unitsofmeasure.org", "g");
  };
  EXPECT_TRUE(enabled_by(ItemType::quantity, weight, grams("1001")));
  EXPECT_FALSE(enabled_by(ItemType::quantity, weight, grams("1000")));
}

TEST_F(EnableTest, ADisabledAncestorDisablesAllBelow) {
  make.add("pain", ItemType::integer);
  make.add("group", ItemType::group).enable_when = {
      when(0, Operator::equal, ItemType::integer, "4")};
  make.add("inner", ItemType::string, 1).required = true;
  EXPECT_EQ(of({with.question("pain", {number("4")}), with.group("group", {ask("inner")})}), fine);
  EXPECT_EQ(of({with.question("pain", {number("3")})}), fine);
  EXPECT_EQ(of({with.question("pain", {number("3")}), with.group("group", {ask("inner")})}),
            Lines{"QuestionnaireResponse.item[1]: invariant"});
  EXPECT_EQ(of({with.question("pain", {number("3")}), with.group("group", {})}), fine);
}

TEST_F(EnableTest, ADisabledItemWithContentFailsBelowCompletedToo) {
  pain_then_more(when(0, Operator::equal, ItemType::integer, "4"));
  status = ResponseStatus::in_progress;
  EXPECT_EQ(of({with.question("pain", {number("3")}), ask("more")}),
            Lines{"QuestionnaireResponse.item[1]: invariant"});
}

TEST_F(EnableTest, InARepeatingGroupEachRowCountsForItself) {
  make.add("rows", ItemType::group).repeats = true;
  make.add("took", ItemType::boolean, 0);
  auto flag = when(1, Operator::equal, ItemType::boolean, {});
  flag.boolean = true;
  auto& dose = make.add("dose", ItemType::string, 0);
  dose.required = true;
  dose.enable_when = {flag};
  make.add("after", ItemType::string).enable_when = {flag};
  const auto row = [&](bool took, bool dosed) {
    const auto first = with.question("took", {test::yes_or_no(took)});
    return dosed ? with.group("rows", {first, ask("dose")}) : with.group("rows", {first});
  };
  EXPECT_EQ(of({row(true, true), row(false, false), ask("after")}), fine);
  EXPECT_EQ(of({row(true, false), row(false, true)}),
            (Lines{"QuestionnaireResponse.item[0]: required",
                   "QuestionnaireResponse.item[1].item[1]: invariant"}));
  EXPECT_EQ(of({row(false, false), ask("after")}),
            Lines{"QuestionnaireResponse.item[1]: invariant"});
}

TEST_F(EnableTest, AChildMayDependOnTheQuestionItStandsBelow) {
  make.add("pain", ItemType::integer);
  make.add("where", ItemType::string, 0).enable_when = {
      when(0, Operator::greater, ItemType::integer, "0")};
  EXPECT_EQ(of({with.question("pain", {number("1")}, with.items({ask("where")}))}), fine);
  EXPECT_EQ(of({with.question("pain", {number("0")}, with.items({ask("where")}))}),
            Lines{"QuestionnaireResponse.item[0].answer[0].item[0]: invariant"});
}

TEST_F(EnableTest, AConditionMayLookAhead) {
  make.add("early", ItemType::string).enable_when = {
      when(1, Operator::equal, ItemType::integer, "1")};
  make.add("late", ItemType::integer);
  EXPECT_EQ(of({ask("early"), with.question("late", {number("1")})}), fine);
  EXPECT_EQ(of({ask("early"), with.question("late", {number("2")})}),
            Lines{"QuestionnaireResponse.item[0]: invariant"});
}

}  // namespace
}  // namespace vesper
