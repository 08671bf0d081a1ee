#include "stages/fhir/check/quantity.hpp"

#include <gtest/gtest.h>

#include "stages/fhir/check/check_test_judge.hpp"
#include "stages/fhir/check/reference.hpp"

namespace vesper {
namespace {

using test::fine;
using test::Lines;
using test::quantity_of;

constexpr std::string_view ucum = "http://unitsofmeasure.org";
const std::string place = "QuestionnaireResponse.item[0].answer[0].value: ";

std::optional<std::strong_ordering> compared(std::string_view digits, std::string_view code,
                                             std::string_view limit, std::string_view limit_code) {
  return compare_quantity(quantity_of(digits, "", ucum, code), limit,
                          {std::string(ucum), {}, std::string(limit_code), {}});
}

TEST(Quantity, MetricPrefixesAreConvertedExactly) {
  EXPECT_EQ(compared("10000", "m", "10", "km"), std::strong_ordering::equal);
  EXPECT_EQ(compared("10001", "m", "10", "km"), std::strong_ordering::greater);
  EXPECT_EQ(compared("1", "mg", "0.000001", "kg"), std::strong_ordering::equal);
  EXPECT_EQ(compared("999999", "ug", "1", "g"), std::strong_ordering::less);
  EXPECT_EQ(compared("1", "dL", "100", "ml"), std::strong_ordering::equal);
  EXPECT_EQ(compared("5", "mmol", "5000", "umol"), std::strong_ordering::equal);
}

TEST(Quantity, OtherUnitsAreNotConverted) {
  EXPECT_FALSE(compared("1", "kg", "1", "m"));
  EXPECT_FALSE(compared("60", "min", "1", "h"));
  EXPECT_FALSE(compared("1", "[lb_av]", "1", "kg"));
  EXPECT_FALSE(compared("1", "kmin", "1", "min"));
  EXPECT_EQ(compared("60", "min", "60", "min"), std::strong_ordering::equal);
}

TEST(Quantity, UnitsWithoutACodeCompareByTheirText) {
  const Coding text_only{{}, {}, {}, "Kg"};
  EXPECT_EQ(compare_quantity(quantity_of("10", "Kg", "", ""), "10", text_only),
            std::strong_ordering::equal);
  EXPECT_FALSE(compare_quantity(quantity_of("10", "kg", "", ""), "10", text_only));
  EXPECT_FALSE(compare_quantity(quantity_of("10", "", "urn:a", "x"), "10", {"urn:b", {}, "x", {}}));
}

class QuantityItemTest : public testing::Test, public test::Judge {};

TEST_F(QuantityItemTest, LimitsAndUnitsBind) {
  auto& item = make.add("q", ItemType::quantity);
  item.min_value = {ItemType::quantity, "40", {std::string(ucum), {}, "kg", "kg"}};
  item.max_value = {ItemType::quantity, "200", {std::string(ucum), {}, "kg", "kg"}};
  item.unit_options = {{std::string(ucum), {}, "kg", ""},
                       {std::string(ucum), {}, "g", ""},
                       {std::string(ucum), {}, "[lb_av]", ""}};
  item.max_decimal_places = 1;
  const auto with_unit = [&](std::string_view digits, std::string_view code) {
    return of(quantity_of(digits, code, ucum, code));
  };
  EXPECT_EQ(with_unit("40", "kg"), fine);
  EXPECT_EQ(with_unit("40000", "g"), fine);
  EXPECT_EQ(with_unit("39999", "g"), Lines{place + "invalid"});
  EXPECT_EQ(with_unit("200.1", "kg"), Lines{place + "invalid"});
  EXPECT_EQ(with_unit("70.25", "kg"), Lines{place + "invalid"});
  EXPECT_EQ(with_unit("70", "mg"), Lines{place + "code-invalid"});
  EXPECT_EQ(with_unit("150", "[lb_av]"), (Lines{place + "invalid", place + "invalid"}));
  Value none = quantity_of("", "kg", ucum, "kg");
  none.has_value = false;
  EXPECT_EQ(of(none), Lines{place + "required"});
  Value about = quantity_of("70", "kg", ucum, "kg");
  about.comparator = PatientText{">"};
  EXPECT_EQ(of(about), Lines{place + "invalid"});
}

TEST_F(QuantityItemTest, AUnitValueSetThatCannotBeResolvedFails) {
  auto& item = make.add("q", ItemType::quantity);
  item.units_known = false;
  item.unit_value_set = "http://example.org/units";
  EXPECT_EQ(of(quantity_of("1", "kg", ucum, "kg")), Lines{place + "not-supported"});
}

class AttachmentTest : public testing::Test, public test::Judge {
 protected:
  static Value attachment(std::string_view type, std::string_view data, std::int64_t size = -1) {
    Value value;
    value.kind = ValueKind::attachment;
    value.code = PatientText{type};
    value.data = PatientText{data};
    value.size_bytes = size;
    return value;
  }
};

TEST_F(AttachmentTest, TypeSizeAndDataAreChecked) {
  auto& item = make.add("q", ItemType::attachment);
  item.mime_types = {"image/png", "audio/*"};
  item.max_size_bytes = 3;
  EXPECT_EQ(of(attachment("image/png", "YWJj", 3)), fine);
  EXPECT_EQ(of(attachment("IMAGE/PNG; x=y", "YWJj")), fine);
  EXPECT_EQ(of(attachment("audio/ogg", "YQ==")), fine);
  EXPECT_EQ(of(attachment("image/gif", "YQ==")), Lines{place + "value"});
  EXPECT_EQ(of(attachment("image/png", "YWJjZA==")), Lines{place + "too-long"});
  EXPECT_EQ(of(attachment("image/png", "YWJj", 2)), Lines{place + "value"});
  EXPECT_EQ(of(attachment("image/png", "YW-j")), Lines{place + "value"});
  EXPECT_EQ(of(attachment("image/png", "YWJ")), Lines{place + "value"});
  EXPECT_EQ(of(attachment("image/png", "Y===")), Lines{place + "value"});
  EXPECT_EQ(of(attachment("image/png", "")), Lines{place + "required"});
  EXPECT_EQ(of(attachment("", "YQ==")), (Lines{place + "required", place + "value"}));
}

class ReferenceTest : public testing::Test, public test::Judge {
 protected:
  Lines to(std::string_view reference) {
    return of(test::value_of(ValueKind::reference, reference));
  }
};

TEST_F(ReferenceTest, LiteralReferencesNameAResourceOfR4) {
  make.add("q", ItemType::reference);
  for (const auto* good :
       {"Patient/1", "https://example.org/fhir/Patient/1", "Patient/1/_history/2", "#contained",
        "urn:uuid:019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b"})
    EXPECT_EQ(to(good), fine) << good;
  for (const auto* bad : {"Chicken/1", "https://example.org/Chicken/1", "Patient", "x/Patient/1",
                          "Patient/", "Patient/a b", "Patient/a_b", "Patient 1"})
    EXPECT_EQ(to(bad), Lines{place + "value"}) << bad;
  EXPECT_EQ(to(""), Lines{place + "required"});
}

TEST_F(ReferenceTest, AnItemMayLimitTheResourceTypes) {
  make.add("q", ItemType::reference).reference_types = {"Patient", "Practitioner"};
  EXPECT_EQ(to("Practitioner/1"), fine);
  EXPECT_EQ(to("Organization/1"), Lines{place + "value"});
}

}  // namespace
}  // namespace vesper
