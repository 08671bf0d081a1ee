#include <gtest/gtest.h>

#include "stages/fhir/check/check_test_judge.hpp"
#include "stages/fhir/check/temporal.hpp"

namespace vesper {
namespace {

using test::coded;
using test::coding_of;
using test::fine;
using test::Lines;
using test::value_of;

const std::string place = "QuestionnaireResponse.item[0].answer[0].value: ";

class ValueTest : public testing::Test, public test::Judge {
 protected:
  // One item `q` of that type, to be limited further.
  FormItem& item(ItemType type) {
    make = {};
    return make.add("q", type);
  }
  Lines told(const std::string& code) { return {place + code}; }
};

TEST_F(ValueTest, EachItemTypeTakesItsOwnValueTypeAndNoOther) {
  struct Pair {
    ItemType type;
    Value value;
  };
  const std::vector<Pair> pairs = {
      {ItemType::boolean, test::yes_or_no(false)},
      {ItemType::decimal, value_of(ValueKind::decimal, "1.5")},
      {ItemType::integer, value_of(ValueKind::integer, "15")},
      {ItemType::date, value_of(ValueKind::date, "2026-11-23")},
      {ItemType::date_time, value_of(ValueKind::date_time, "2026-11-23T10:00:00Z")},
      {ItemType::time, value_of(ValueKind::time, "10:00:00")},
      {ItemType::string, value_of(ValueKind::string, "text")},
      {ItemType::url, value_of(ValueKind::uri, "https://example.org")},
      {ItemType::choice, coding_of("a")},
      {ItemType::reference, value_of(ValueKind::reference, "Patient/1")},
      {ItemType::quantity, test::quantity_of("1", "kg", "", "")},
      {ItemType::attachment, value_of(ValueKind::attachment, "https://example.org/x.png")}};
  for (std::size_t i = 0; i < pairs.size(); ++i)
    for (std::size_t j = 0; j < pairs.size(); ++j) {
      SCOPED_TRACE(std::to_string(i) + " with value " + std::to_string(j));
      item(pairs[i].type);
      EXPECT_EQ(of(pairs[j].value), i == j ? fine : told("value"));
    }
  item(ItemType::question);
  EXPECT_EQ(of(coding_of("a")), told("structure"));
  item(ItemType::text);
  EXPECT_EQ(of(value_of(ValueKind::string, "line\nline")), fine);
}

TEST_F(ValueTest, IntegersAreBoundedAtTheirEdges) {
  auto& q = item(ItemType::integer);
  q.min_value = {ItemType::integer, "0", {}};
  q.max_value = {ItemType::integer, "10", {}};
  const auto with_digits = [&](std::string_view s) { return of(value_of(ValueKind::integer, s)); };
  for (const auto* good : {"0", "10", "5"}) EXPECT_EQ(with_digits(good), fine) << good;
  for (const auto* bad : {"-1", "11", "2147483647"})
    EXPECT_EQ(with_digits(bad), told("invalid")) << bad;
  for (const auto* bad : {"2147483648", "1.0", "", "x", "007"})
    EXPECT_EQ(with_digits(bad), told("value")) << bad;
}

TEST_F(ValueTest, DecimalsAreHeldExactlyAgainstLimitsAndPlaces) {
  auto& q = item(ItemType::decimal);
  q.min_value = {ItemType::decimal, "0.1", {}};
  q.max_value = {ItemType::decimal, "0.30", {}};
  q.max_decimal_places = 2;
  const auto with_digits = [&](std::string_view s) { return of(value_of(ValueKind::decimal, s)); };
  for (const auto* good : {"0.1", "0.10", "0.3", "3e-1", "0.25"})
    EXPECT_EQ(with_digits(good), fine) << good;
  EXPECT_EQ(with_digits("0.09"), told("invalid"));
  EXPECT_EQ(with_digits("0.31"), told("invalid"));
  EXPECT_EQ(with_digits("0.250"), told("invalid"));
  EXPECT_EQ(with_digits("0.3000000000000000000001"), (Lines{place + "invalid", place + "invalid"}));
  EXPECT_EQ(with_digits(".2"), told("value"));
}

TEST_F(ValueTest, StringsAreMeasuredInCodePoints) {
  auto& q = item(ItemType::string);
  q.max_length = 3;
  q.min_length = 2;
  const auto with_text = [&](std::string_view s) { return of(value_of(ValueKind::string, s)); };
  EXPECT_EQ(with_text("ab"), fine);
  EXPECT_EQ(with_text("痛痛痛"), fine);
  EXPECT_EQ(with_text("🙂🙂🙂"), fine);
  EXPECT_EQ(with_text("痛痛痛痛"), told("too-long"));
  EXPECT_EQ(with_text("abcd"), told("too-long"));
  EXPECT_EQ(with_text("痛"), told("invalid"));
  EXPECT_EQ(with_text(""), told("value"));
  EXPECT_EQ(with_text(std::string_view("a\0b", 3)), told("value"));
  EXPECT_EQ(with_text("a\x1f"), fine);
  EXPECT_EQ(with_text("a\tb"), fine);
}

TEST_F(ValueTest, ARegularExpressionMatchesTheWholeAnswer) {
  item(ItemType::string).regex = "[a-z]+[0-9]";
  const auto with_text = [&](std::string_view s) { return of(value_of(ValueKind::string, s)); };
  EXPECT_EQ(with_text("abc1"), fine);
  EXPECT_EQ(with_text("abc12"), told("invalid"));
  EXPECT_EQ(with_text("1abc1"), told("invalid"));
  EXPECT_EQ(with_text("abc1\n"), told("invalid"));
}

TEST_F(ValueTest, AnExpressionThatCannotBeEvaluatedFailsItsAnswersAndIsToldAtPublishing) {
  item(ItemType::string).regex = "(?=look)ahead";
  EXPECT_EQ(of(value_of(ValueKind::string, "ahead")), told("not-supported"));
  ASSERT_EQ(plan_issues.size(), 1U);
  EXPECT_EQ(plan_issues[0].expression, "Questionnaire.item(linkId='q')");
}

TEST_F(ValueTest, UrlsHaveNoBlanks) {
  item(ItemType::url);
  EXPECT_EQ(of(value_of(ValueKind::uri, "urn:oid:1.2")), fine);
  EXPECT_EQ(of(value_of(ValueKind::uri, "ht tp://x")), told("value"));
  EXPECT_EQ(of(value_of(ValueKind::uri, "")), told("value"));
}

TEST_F(ValueTest, DatesAndTimesFollowTheirGrammar) {
  for (const auto* good : {"2026", "2026-02", "2024-02-29"}) EXPECT_TRUE(is_date(good)) << good;
  for (const auto* bad :
       {"", "26", "2026-13", "2025-02-29", "2026-1-1", "0000", "2026-11-23T10:00:00Z"})
    EXPECT_FALSE(is_date(bad)) << bad;
  for (const auto* good : {"2026", "2026-11-23T10:00:00Z", "2026-11-23T10:00:00.5+08:00"})
    EXPECT_TRUE(is_date_time(good)) << good;
  for (const auto* bad : {"2026-11-23T10:00:00", "2026-11-23T10:00Z", "2026-11-23T24:00:00Z"})
    EXPECT_FALSE(is_date_time(bad)) << bad;
  for (const auto* good : {"00:00:00", "23:59:59", "10:00:00.123456789"})
    EXPECT_TRUE(is_time(good)) << good;
  for (const auto* bad : {"", "10:00", "24:00:00", "10:60:00", "10:00:60", "10:00:00.", "10:00:00Z",
                          "10:00:00.1234567890", "1a:00:00"})
    EXPECT_FALSE(is_time(bad)) << bad;
}

TEST_F(ValueTest, TemporalLimitsIncludeTheirEdgesAtEveryPrecision) {
  auto& q = item(ItemType::date);
  q.min_value = {ItemType::date, "2020-06", {}};
  q.max_value = {ItemType::date, "2022-02-28", {}};
  const auto with_date = [&](std::string_view s) { return of(value_of(ValueKind::date, s)); };
  for (const auto* good : {"2020-06-01", "2020", "2022-02-28", "2022-02", "2021-07"})
    EXPECT_EQ(with_date(good), fine) << good;
  for (const auto* bad : {"2020-05-31", "2019", "2022-03-01", "2022-03"})
    EXPECT_EQ(with_date(bad), told("invalid")) << bad;
  auto& t = item(ItemType::time);
  t.max_value = {ItemType::time, "20:00:00", {}};
  EXPECT_EQ(of(value_of(ValueKind::time, "20:00:00.000")), fine);
  EXPECT_EQ(of(value_of(ValueKind::time, "20:00:00.001")), told("invalid"));
}

TEST_F(ValueTest, FullDateTimesCompareAsInstants) {
  auto& q = item(ItemType::date_time);
  q.max_value = {ItemType::date_time, "2026-11-23T12:00:00Z", {}};
  const auto at = [&](std::string_view s) { return of(value_of(ValueKind::date_time, s)); };
  EXPECT_EQ(at("2026-11-23T20:00:00+08:00"), fine);
  EXPECT_EQ(at("2026-11-23T20:00:00.0001+08:00"), told("invalid"));
  EXPECT_EQ(at("2026-11-23T11:59:59-00:30"), told("invalid"));
  EXPECT_EQ(at("2026-11-23"), fine);
}

TEST_F(ValueTest, ChoicesAreHeldAgainstSystemAndCode) {
  item(ItemType::choice).options = {coded("a"), coded("b", "", "urn:other")};
  EXPECT_EQ(of(coding_of("a")), fine);
  EXPECT_EQ(of(coding_of("b", "urn:other")), fine);
  EXPECT_EQ(of(coding_of("b")), told("code-invalid"));
  EXPECT_EQ(of(coding_of("a", "")), told("code-invalid"));
  EXPECT_EQ(of(coding_of("")), told("value"));
  EXPECT_EQ(of(value_of(ValueKind::string, "a")), told("value"));
}

TEST_F(ValueTest, ManyOptionsAreFoundAsFewAre) {
  auto& q = item(ItemType::choice);
  for (int i = 0; i < 100; ++i) q.options.push_back(coded("c" + std::to_string(i)));
  q.options.push_back(coded("c7", "", "urn:other"));
  plan();
  EXPECT_EQ(make.form().check_plan->items[0].order.size(), 101U);
  EXPECT_EQ(of(coding_of("c0")), fine);
  EXPECT_EQ(of(coding_of("c99")), fine);
  EXPECT_EQ(of(coding_of("c7", "urn:other")), fine);
  EXPECT_EQ(of(coding_of("c100")), told("code-invalid"));
  EXPECT_EQ(of(coding_of("c8", "urn:other")), told("code-invalid"));
}

TEST_F(ValueTest, OptionsMayBeOfOtherTypes) {
  Option option;
  option.kind = Option::Kind::integer;
  option.text = "7";
  item(ItemType::choice).options = {option};
  EXPECT_EQ(of(value_of(ValueKind::integer, "7")), fine);
  EXPECT_EQ(of(value_of(ValueKind::integer, "8")), told("code-invalid"));
  option.kind = Option::Kind::time;
  option.text = "10:00:00";
  item(ItemType::time).options = {option};
  EXPECT_EQ(of(value_of(ValueKind::time, "10:00:00")), fine);
  EXPECT_EQ(of(value_of(ValueKind::time, "11:00:00")), told("code-invalid"));
}

TEST_F(ValueTest, AValueSetThatCannotBeResolvedFailsEveryCode) {
  for (const auto type : {ItemType::choice, ItemType::open_choice}) {
    auto& q = item(type);
    q.answer_value_set = "http://example.org/vs";
    q.options_known = false;
    EXPECT_EQ(of(coding_of("a")), told("not-supported"));
  }
  EXPECT_EQ(of(value_of(ValueKind::string, "free text")), fine);
  EXPECT_EQ(plan_issues.size(), 2U);
}

TEST_F(ValueTest, ADisplayBindsOnlyForCodesOfStandardSystems) {
  Value wrong = coding_of("male", "http://hl7.org/fhir/administrative-gender");
  wrong.display = PatientText{"Female"};
  auto& q = item(ItemType::choice);
  q.options = {coded("male", "", "http://hl7.org/fhir/administrative-gender")};
  q.options[0].coding.display = "Male";
  q.answer_value_set = "http://hl7.org/fhir/ValueSet/administrative-gender";
  EXPECT_EQ(of(wrong), told("invalid"));
  wrong.display = PatientText{"MALE"};
  EXPECT_EQ(of(wrong), fine);
  item(ItemType::choice).options = {coded("a")};
  Value own = coding_of("a");
  own.display = PatientText{"in other words"};
  EXPECT_EQ(of(own), fine);
}

TEST_F(ValueTest, FaultsNeverRepeatWhatThePatientAnswered) {
  const std::string secret = "s3cr3t-answer";
  const auto leaks = [&] {
    for (const auto& issue : issues)
      if ((issue.diagnostics + issue.expression).find(secret) != std::string::npos) return true;
    return issues.empty();
  };
  for (const auto type :
       {ItemType::boolean, ItemType::decimal, ItemType::integer, ItemType::date,
        ItemType::date_time, ItemType::time, ItemType::url, ItemType::choice, ItemType::reference,
        ItemType::quantity, ItemType::attachment, ItemType::string})
    for (const auto kind :
         {ValueKind::raw_text, ValueKind::integer, ValueKind::decimal, ValueKind::date,
          ValueKind::date_time, ValueKind::time, ValueKind::string, ValueKind::uri,
          ValueKind::coding, ValueKind::reference, ValueKind::quantity, ValueKind::attachment}) {
      auto& q = item(type);
      q.max_length = 2;
      q.regex = "x";
      q.options = {coded("a")};
      q.min_value = {ItemType::decimal, "5", {}};
      q.mime_types = {"image/png"};
      Value value = value_of(kind, secret);
      value.display = value.system = value.code = value.data = PatientText{secret};
      (void)of(value);
      EXPECT_FALSE(leaks()) << static_cast<int>(type) << ' ' << static_cast<int>(kind);
    }
}

TEST_F(ValueTest, OfControlCharactersOnlyNulIsRefused) {
  using namespace std::string_view_literals;
  item(ItemType::string);
  for (const auto good : {"\x01\x1b[0m\x7f"sv, " "sv, "\ufeff"sv})
    EXPECT_EQ(of(value_of(ValueKind::string, good)), fine);
  EXPECT_EQ(of(value_of(ValueKind::string, "a\0b"sv)), told("value"));
  item(ItemType::open_choice);
  EXPECT_EQ(of(value_of(ValueKind::string, "a\0b"sv)), told("value"));
  EXPECT_EQ(of(coding_of("a\0"sv)), told("value"));
  item(ItemType::quantity);
  EXPECT_EQ(of(test::quantity_of("1", "k\0"sv, "", "")), told("value"));
}

}  // namespace
}  // namespace vesper
