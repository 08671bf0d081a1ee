#include "stages/fhir/check/shape.hpp"

#include <gtest/gtest.h>

#include "stages/fhir/check/check_test_judge.hpp"
#include "stages/fhir/check/judge.hpp"

namespace vesper {
namespace {

using test::coded;
using test::fine;
using test::Lines;
using test::value_of;

Value raw_text(std::string_view s) {
  return value_of(ValueKind::raw_text, s);
}
Value raw_number(std::string_view s) {
  return value_of(ValueKind::raw_number, s);
}

// a: integer | group { b: choice, c: decimal, repeating { below c: d } } | rows*: { e, f* } | g
class ShapeTest : public testing::Test {
 protected:
  ShapeTest() {
    make_.add("a", ItemType::integer);
    make_.add("group", ItemType::group);
    make_.add("b", ItemType::choice, 1).options = {
        coded("yes", "1"), coded("no", "0"), coded("dup", "", "urn:x"), coded("dup", "", "urn:y")};
    make_.add("c", ItemType::decimal, 1).repeats = true;
    make_.add("d", ItemType::string, 3);
    make_.add("rows", ItemType::group).repeats = true;
    make_.add("e", ItemType::time, 5).required = true;
    make_.add("f", ItemType::string, 5).repeats = true;
    make_.add("g", ItemType::boolean);
    make_.add("note", ItemType::display);
  }
  RawAnswer given(std::string_view field, std::initializer_list<Value> values, bool array = false) {
    RawAnswer answer;
    answer.field = field;
    answer.values = arena_.array<Value>(values.size());
    std::copy(values.begin(), values.end(), answer.values.begin());
    answer.is_array = array;
    return answer;
  }
  std::span<RawAnswer> list(std::initializer_list<RawAnswer> answers) {
    const auto copy = arena_.array<RawAnswer>(answers.size());
    std::copy(answers.begin(), answers.end(), copy.begin());
    return copy;
  }
  RawAnswer rows(std::string_view field, std::initializer_list<std::span<RawAnswer>> rows) {
    RawAnswer answer;
    answer.field = field;
    answer.rows = arena_.array<std::span<RawAnswer>>(rows.size());
    std::copy(rows.begin(), rows.end(), answer.rows.begin());
    answer.is_array = true;
    return answer;
  }
  Lines judge(std::initializer_list<RawAnswer> answers, MediaType media = MediaType::json) {
    Issues ignored;
    if (make_.form().check_plan == nullptr)
      make_.form().check_plan = make_check_plan(make_.form(), ignored);
    Diary diary;
    diary.media = media;
    diary.raw = list(answers);
    test::Judge told;
    items_ = judge_diary(make_.form(), diary, arena_, told.issues);
    return told.lines();
  }
  test::FormMaker make_;
  Arena arena_;
  std::span<ResponseItem> items_;
};

TEST_F(ShapeTest, FlatAnswersTakeTheFormsShapeAndTypes) {
  EXPECT_EQ(judge({given("g", {test::yes_or_no(true)}), given("d", {raw_text("below")}),
                   given("c", {raw_number("1.50")}), given("b", {raw_text("yes")}),
                   given("a", {raw_number("4")})}),
            fine);
  ASSERT_EQ(items_.size(), 3U);
  EXPECT_EQ(items_[0].link_id.reveal(), "a");
  EXPECT_EQ(items_[0].answers[0].value.kind, ValueKind::integer);
  ASSERT_EQ(items_[1].items.size(), 2U);
  const Value& choice = items_[1].items[0].answers[0].value;
  EXPECT_EQ(choice.kind, ValueKind::coding);
  EXPECT_EQ(choice.system.reveal(), "urn:test");
  EXPECT_EQ(choice.display.reveal(), "Display of yes");
  const ResponseAnswer& decimal = items_[1].items[1].answers[0];
  EXPECT_EQ(decimal.value.text.reveal(), "1.50");
  ASSERT_EQ(decimal.items.size(), 1U);
  EXPECT_EQ(decimal.items[0].link_id.reveal(), "d");
  EXPECT_EQ(items_[2].answers[0].value.boolean, true);
}

TEST_F(ShapeTest, RowsBecomeRepetitionsOfTheirGroup) {
  EXPECT_EQ(judge({rows("rows", {list({given("e", {raw_text("08:00:00")})}),
                                 list({given("f", {raw_text("x"), raw_text("y")}, true),
                                       given("e", {raw_text("20:00:00")})})})}),
            fine);
  ASSERT_EQ(items_.size(), 2U);
  EXPECT_EQ(items_[1].items[0].answers[0].value.text.reveal(), "20:00:00");
  EXPECT_EQ(items_[1].items[1].answers.size(), 2U);
}

TEST_F(ShapeTest, FaultsInRowsNameTheRow) {
  EXPECT_EQ(judge({rows("rows",
                        {list({given("e", {raw_text("08:00:00")})}),
                         list({given("e", {raw_text("8 o'clock")}), given("zz", {raw_text("x")})}),
                         list({given("f", {raw_text("x"), raw_text("")}, true)})})}),
            (Lines{"answers.rows[1].zz: not-found", "answers.rows[1].e: value",
                   "answers.rows[2].e: required", "answers.rows[2].f[1]: value"}));
}

TEST_F(ShapeTest, UnknownMisplacedAndDoubledNamesAreTold) {
  EXPECT_EQ(judge({given("zz", {raw_text("x")})}), Lines{"answers.zz: not-found"});
  EXPECT_EQ(judge({given("zz", {})}), Lines{"answers.zz: not-found"});
  EXPECT_EQ(judge({given("e", {raw_text("08:00:00")})}), Lines{"answers.e: structure"});
  EXPECT_EQ(
      judge({rows("rows",
                  {list({given("e", {raw_text("08:00:00")}), given("a", {raw_number("1")})})})}),
      Lines{"answers.rows[0].a: structure"});
  EXPECT_EQ(judge({given("a", {raw_number("1")}), given("a", {raw_number("2")})}),
            Lines{"answers.a: duplicate"});
  EXPECT_EQ(judge({given("note", {raw_text("x")})}), Lines{"answers.note: structure"});
  EXPECT_EQ(judge({given("group", {raw_text("x")})}), Lines{"answers.group: structure"});
  EXPECT_EQ(judge({given("rows", {raw_text("x")})}), Lines{"answers.rows: structure"});
  EXPECT_EQ(judge({rows("a", {list({})})}), Lines{"answers.a: structure"});
}

TEST_F(ShapeTest, LongUnknownNamesAreCutInThePath) {
  const std::string name(200, 'n');
  EXPECT_EQ(judge({given(name, {})}), Lines{"answers." + std::string(64, 'n') + ": not-found"});
}

TEST_F(ShapeTest, ASkippedAnswerIsNoAnswer) {
  EXPECT_EQ(judge({given("a", {}), given("b", {}), given("rows", {})}), fine);
  EXPECT_TRUE(items_.empty());
}

TEST_F(ShapeTest, ArraysAreForRepeatingItems) {
  EXPECT_EQ(judge({given("a", {raw_number("1")}, true)}), Lines{"answers.a: structure"});
  EXPECT_EQ(judge({given("c", {raw_number("1"), raw_number("2")}, true)}), fine);
  EXPECT_EQ(judge({given("c", {raw_number("1"), raw_text("2")}, true)}),
            Lines{"answers.c[1]: value"});
}

TEST_F(ShapeTest, WhatStandsBelowAQuestionNeedsItsOneAnswer) {
  EXPECT_EQ(judge({given("d", {raw_text("x")})}), Lines{"answers.d: structure"});
  EXPECT_EQ(
      judge({given("c", {raw_number("1"), raw_number("2")}, true), given("d", {raw_text("x")})}),
      Lines{"answers.d: structure"});
}

TEST_F(ShapeTest, JsonTypesAreStrict) {
  const auto told = Lines{"answers.a: value"};
  EXPECT_EQ(judge({given("a", {raw_text("4")})}), told);
  EXPECT_EQ(judge({given("a", {raw_number("4.0")})}), told);
  EXPECT_EQ(judge({given("a", {raw_number("4e0")})}), told);
  EXPECT_EQ(judge({given("a", {test::yes_or_no(true)})}), told);
  EXPECT_EQ(judge({given("g", {raw_text("true")})}), Lines{"answers.g: value"});
  EXPECT_EQ(judge({given("g", {raw_number("1")})}), Lines{"answers.g: value"});
  EXPECT_EQ(judge({given("c", {raw_text("1.5")})}), Lines{"answers.c[0]: value"});
  EXPECT_EQ(judge({given("b", {raw_number("1")})}), Lines{"answers.b: value"});
}

TEST_F(ShapeTest, TextDecidesInXmlAndOdm) {
  for (const auto media : {MediaType::xml, MediaType::odm}) {
    EXPECT_EQ(judge({given("a", {raw_text("4")}), given("b", {raw_text("no")}),
                     given("c", {raw_text("6.5")}), given("g", {raw_text("true")})},
                    media),
              fine);
    EXPECT_EQ(judge({given("a", {raw_text("four")})}, media), Lines{"answers.a: value"});
    EXPECT_EQ(judge({given("a", {raw_text("")})}, media), Lines{"answers.a: value"});
    EXPECT_EQ(judge({given("g", {raw_text("yes")})}, media), Lines{"answers.g: value"});
  }
}

TEST_F(ShapeTest, BlanksAroundAValueMeanNothingInXmlAndSomethingInJson) {
  EXPECT_EQ(
      judge({given("a", {raw_text("\n  4\n")}), given("b", {raw_text(" yes ")})}, MediaType::xml),
      fine);
  EXPECT_EQ(items_[0].answers[0].value.text.reveal(), "4");
  EXPECT_EQ(judge({given("b", {raw_text(" yes ")})}), Lines{"answers.b: code-invalid"});
  EXPECT_EQ(
      judge({rows("rows",
                  {list({given("e", {raw_text("08:00:00")}), given("f", {raw_text(" x ")})})})},
            MediaType::xml),
      fine);
  EXPECT_EQ(items_[0].items[1].answers[0].value.text.reveal(), " x ");
}

TEST_F(ShapeTest, OdmMayNumberAGroupThatDoesNotRepeat) {
  const auto group = rows("group", {list({given("b", {raw_text("yes")})})});
  EXPECT_EQ(judge({group}, MediaType::odm), fine);
  EXPECT_EQ(items_[0].items[0].link_id.reveal(), "b");
  EXPECT_EQ(judge({group}, MediaType::json), Lines{"answers.group: structure"});
  const auto foreign = rows("IG.1", {list({given("b", {raw_text("yes")})})});
  EXPECT_EQ(judge({foreign}, MediaType::odm), fine);
  EXPECT_EQ(judge({foreign}, MediaType::json), Lines{"answers.IG.1: not-found"});
  const auto twice = rows("group", {list({}), list({})});
  EXPECT_EQ(judge({twice}, MediaType::odm), Lines{"answers.group: structure"});
}

TEST_F(ShapeTest, ACodeThatSeveralSystemsHaveNeedsItsSystem) {
  EXPECT_EQ(judge({given("b", {raw_text("dup")})}), Lines{"answers.b: code-invalid"});
  Value stated = test::coding_of("dup", "urn:y");
  EXPECT_EQ(judge({given("b", {stated})}), fine);
  EXPECT_EQ(items_[0].items[0].answers[0].value.display.reveal(), "Display of dup");
  EXPECT_EQ(judge({given("b", {test::coding_of("dup", "")})}), Lines{"answers.b: code-invalid"});
  EXPECT_EQ(judge({given("b", {test::coding_of("yes", "urn:z")})}),
            Lines{"answers.b: code-invalid"});
}

TEST_F(ShapeTest, AnObjectReadBothWaysIsWhatTheFormSays) {
  auto both = rows("b", {list({given("code", {raw_text("yes")})})});
  both.values = given("b", {test::coding_of("yes", "")}).values;
  both.is_array = false;
  EXPECT_EQ(judge({both}), fine);
  auto row = rows("rows", {list({given("e", {raw_text("08:00:00")})})});
  row.values = both.values;
  EXPECT_EQ(judge({row}), fine);
  EXPECT_EQ(items_[0].items[0].link_id.reveal(), "e");
}

TEST_F(ShapeTest, FieldNamesOfTheTrialReplaceLinkIds) {
  make_.form().by_field.erase("a");
  make_.form().by_field["PAIN"] = 0;
  EXPECT_EQ(judge({given("PAIN", {raw_number("4")})}), fine);
  EXPECT_EQ(judge({given("PAIN", {raw_text("4")})}), Lines{"answers.PAIN: value"});
  EXPECT_EQ(judge({given("a", {raw_number("4")})}), Lines{"answers.a: not-found"});
}

TEST_F(ShapeTest, OpenChoiceTakesACodeOrAFreeText) {
  make_.add("open", ItemType::open_choice).options = {coded("yes")};
  EXPECT_EQ(judge({given("open", {raw_text("yes")})}), fine);
  EXPECT_EQ(items_[0].answers[0].value.kind, ValueKind::coding);
  EXPECT_EQ(judge({given("open", {raw_text("something else")})}), fine);
  EXPECT_EQ(items_[0].answers[0].value.kind, ValueKind::string);
  EXPECT_EQ(judge({given("open", {test::coding_of("maybe", "")})}),
            Lines{"answers.open: code-invalid"});
}

TEST_F(ShapeTest, AQuantityTakesTheCodedUnitOfItsItem) {
  auto& item = make_.add("weight", ItemType::quantity);
  item.unit_options = {{"http://unitsofmeasure.org", {}, "kg", "kilogram"}};
  EXPECT_EQ(judge({given("weight", {test::quantity_of("70.5", "kilogram", "", "")})}), fine);
  EXPECT_EQ(items_[0].answers[0].value.code.reveal(), "kg");
  EXPECT_EQ(judge({given("weight", {test::quantity_of("70.5", "kg", "", "")})}), fine);
  EXPECT_EQ(items_[0].answers[0].value.display.reveal(), "kilogram");
  EXPECT_EQ(judge({given("weight", {test::quantity_of("70.5", "lb", "", "")})}),
            Lines{"answers.weight: code-invalid"});
  EXPECT_EQ(judge({given("weight", {raw_number("70.5")})}), Lines{"answers.weight: value"});
  EXPECT_EQ(judge({given("weight", {raw_text("70.5")})}, MediaType::odm), fine);
  EXPECT_EQ(items_[0].answers[0].value.code.reveal(), "kg");
}

}  // namespace
}  // namespace vesper
