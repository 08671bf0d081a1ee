#include <gtest/gtest.h>

#include "stages/fhir/check/check_test_judge.hpp"
#include "stages/fhir/check/option.hpp"

namespace vesper {
namespace {

using test::fine;
using test::Lines;
using test::value_of;

Value text(std::string_view s) {
  return value_of(ValueKind::string, s);
}

// intro (display) | a | group { b { c } , d } | e, repeating | rows (repeating group) { f, g }
class StructureTest : public testing::Test, public test::Judge {
 protected:
  StructureTest() {
    make.add("intro", ItemType::display);
    make.add("a", ItemType::string);
    make.add("group", ItemType::group);
    make.add("b", ItemType::string, 2);
    make.add("c", ItemType::string, 3);
    make.add("d", ItemType::string, 2);
    make.add("e", ItemType::string).repeats = true;
    make.add("rows", ItemType::group).repeats = true;
    make.add("f", ItemType::string, 7);
    make.add("g", ItemType::string, 7);
  }
  ResponseItem ask(std::string_view id) { return with.question(id, {text("x")}); }
};

TEST_F(StructureTest, AResponseInTheFormsShapeIsFine) {
  EXPECT_EQ(
      of({with.group("intro", {}), ask("a"),
          with.group("group", {with.question("b", {text("x")}, with.items({ask("c")})), ask("d")}),
          with.question("e", {text("1"), text("2")}), with.group("rows", {ask("f"), ask("g")}),
          with.group("rows", {ask("g")})}),
      fine);
  EXPECT_EQ(of(std::initializer_list<ResponseItem>{}), fine);
}

TEST_F(StructureTest, AnUnknownLinkIdIsToldWhereItStands) {
  EXPECT_EQ(of({ask("a"), ask("nowhere")}), Lines{"QuestionnaireResponse.item[1]: not-found"});
  EXPECT_EQ(of({with.group("group", {ask("zz")})}),
            Lines{"QuestionnaireResponse.item[0].item[0]: not-found"});
  EXPECT_EQ(of({with.group("group", {with.question("b", {text("x")}, with.items({ask("q")}))})}),
            Lines{"QuestionnaireResponse.item[0].item[0].answer[0].item[0]: not-found"});
}

TEST_F(StructureTest, AnItemUnderAnotherParentIsAFault) {
  EXPECT_EQ(of({ask("d")}), Lines{"QuestionnaireResponse.item[0]: structure"});
  EXPECT_EQ(of({with.group("group", {ask("a")})}),
            Lines{"QuestionnaireResponse.item[0].item[0]: structure"});
  EXPECT_EQ(of({with.group("group", {ask("c")})}),
            Lines{"QuestionnaireResponse.item[0].item[0]: structure"});
}

TEST_F(StructureTest, TheFormsOrderBinds) {
  EXPECT_EQ(of({with.question("e", {text("1")}), ask("a")}),
            Lines{"QuestionnaireResponse.item[1]: structure"});
  EXPECT_EQ(of({with.group("group", {ask("d"), ask("b")})}),
            Lines{"QuestionnaireResponse.item[0].item[1]: structure"});
}

TEST_F(StructureTest, AFaultOutOfOrderKeepsItsPlaceAsSent) {
  EXPECT_EQ(of({with.question("e", {text("")}), ask("a")}),
            (Lines{"QuestionnaireResponse.item[1]: structure",
                   "QuestionnaireResponse.item[0].answer[0].value: value"}));
}

TEST_F(StructureTest, GroupsAndDisplaysTakeNoAnswer) {
  EXPECT_EQ(of({ask("intro")}), Lines{"QuestionnaireResponse.item[0]: structure"});
  EXPECT_EQ(of({ask("group")}), Lines{"QuestionnaireResponse.item[0]: structure"});
  EXPECT_EQ(of({with.group("intro", {ask("a")})}),
            Lines{"QuestionnaireResponse.item[0]: structure"});
}

TEST_F(StructureTest, ChildrenOfAQuestionStandUnderItsAnswer) {
  auto beside = with.group("b", {ask("c")});
  EXPECT_EQ(of({with.group("group", {beside})}),
            Lines{"QuestionnaireResponse.item[0].item[0]: structure"});
}

TEST_F(StructureTest, AnswerAndItemNeverStandAtOneLevel) {
  auto both = with.question("b", {text("x")});
  both.items = with.items({ask("c")});
  both.has_item_member = true;
  EXPECT_EQ(of({with.group("group", {both})}),
            Lines{"QuestionnaireResponse.item[0].item[0]: structure"});
}

TEST_F(StructureTest, SeveralAnswersAndTheSameLinkIdTwiceNeedRepeats) {
  EXPECT_EQ(of({with.question("a", {text("1"), text("2")})}),
            Lines{"QuestionnaireResponse.item[0]: structure"});
  EXPECT_EQ(of({ask("a"), ask("a")}), Lines{"QuestionnaireResponse.item[0]: structure"});
  EXPECT_EQ(of({with.group("group", {ask("d")}), with.group("group", {ask("d")})}),
            Lines{"QuestionnaireResponse.item[0]: structure"});
  EXPECT_EQ(of({ask("e"), ask("e")}), fine);
}

TEST_F(StructureTest, AnAnswerWithoutValueIsAFault) {
  EXPECT_EQ(of({with.question("a", {Value{}})}),
            Lines{"QuestionnaireResponse.item[0].answer[0].value: required"});
}

TEST_F(StructureTest, NestingIsFollowedToItsBoundAndNoFurther) {
  test::Judge deep;
  std::uint32_t parent = no_item;
  for (int i = 0; i < response_depth_max + 3; ++i) {
    deep.make.add("l" + std::to_string(i), ItemType::group, parent);
    parent = deep.make.last();
  }
  const auto nested = [&](int levels) {
    std::span<ResponseItem> below;
    for (int i = levels - 1; i >= 0; --i) {
      ResponseItem item;
      item.link_id = PatientText{deep.with.arena().copy("l" + std::to_string(i))};
      item.items = below;
      below = deep.with.items({item});
    }
    return deep.of(below).size();
  };
  EXPECT_EQ(nested(response_depth_max + 1), 0U);
  EXPECT_EQ(nested(response_depth_max + 2), 1U);
}

TEST_F(StructureTest, ItemsAndAnswersAreBoundedTogether) {
  const auto many = [&](std::size_t count) {
    const auto answers = with.arena().array<ResponseAnswer>(count - 1);
    for (auto& answer : answers) answer.value = text("1");
    ResponseItem item = ask("e");
    item.answers = answers;
    return of({item});
  };
  EXPECT_EQ(many(response_parts_max), fine);
  EXPECT_EQ(many(response_parts_max + 1), Lines{"QuestionnaireResponse: too-long"});
}

TEST_F(StructureTest, AtMostAHundredFaultsAreListed) {
  const auto many = [&](std::size_t count) {
    const auto items = with.arena().array<ResponseItem>(count);
    for (auto& item : items) item = ask("nowhere");
    return of(items).size();
  };
  EXPECT_EQ(many(issues_max), issues_max);
  EXPECT_EQ(many(issues_max + 1), issues_max + 1);
  EXPECT_EQ(many(issues_max + 2), issues_max + 1);
  EXPECT_EQ(issues.back().code, IssueCode::processing);
}

}  // namespace
}  // namespace vesper
