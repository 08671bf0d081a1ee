#include "stages/fhir/check/number.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace vesper {
namespace {

Decimal decimal(std::string_view text) {
  const auto d = Decimal::parse(text);
  EXPECT_TRUE(d) << text;
  return d.value_or(Decimal{});
}

TEST(Number, TheDecimalGrammarOfFhirIsKeptToTheLetter) {
  for (const auto* good : {"0", "-0", "0.0", "1", "-1", "10.50", "1e5", "1E+5", "1.2e-7", "0e0"})
    EXPECT_TRUE(Decimal::parse(good)) << good;
  for (const auto* bad :
       {"",      "-",     "+1",    "01", "00", ".5",  "5.",   "1.e5", "1e",       "1e+", "1e-",
        "1e+-5", "1e--5", "1e5.0", " 1", "1 ", "1,5", "0x10", "NaN",  "Infinity", "--1", "1e "})
    EXPECT_FALSE(Decimal::parse(bad)) << bad;
}

TEST(Number, LengthAndExponentAreBoundedAtTheirEdges) {
  EXPECT_TRUE(Decimal::parse(std::string(decimal_chars_max, '9')));
  EXPECT_FALSE(Decimal::parse(std::string(decimal_chars_max + 1, '9')));
  EXPECT_TRUE(Decimal::parse("1e64"));
  EXPECT_FALSE(Decimal::parse("1e65"));
  EXPECT_TRUE(Decimal::parse("1e-64"));
  EXPECT_FALSE(Decimal::parse("1e-65"));
  EXPECT_FALSE(Decimal::parse("1e99999999999999999999"));
}

TEST(Number, ComparisonIsExactWhereADoubleIsNot) {
  EXPECT_LT(decimal("9007199254740992"), decimal("9007199254740993"));
  EXPECT_EQ(9007199254740992.0, 9007199254740993.0);  // what a double makes of the line above
  EXPECT_LT(decimal("0.1"), decimal("0.10000000000000000000001"));
  EXPECT_EQ(decimal("1.50"), decimal("1.5"));
  EXPECT_EQ(decimal("15e-1"), decimal("1.5"));
  EXPECT_EQ(decimal("0"), decimal("-0.00"));
  EXPECT_LT(decimal("-1.5"), decimal("-1.4"));
  EXPECT_LT(decimal("-10"), decimal("-9.99"));
  EXPECT_LT(decimal("-1"), decimal("0"));
  EXPECT_LT(decimal("9.9"), decimal("10"));
  EXPECT_LT(decimal("1e-3"), decimal("0.01"));
  EXPECT_EQ(decimal("10").shifted(-3), decimal("0.01"));
  EXPECT_EQ(decimal("0").shifted(5), decimal("0"));
}

TEST(Number, ComparisonAgreesWithIntegersOnRandomScaledPairs) {
  Random random(0x5eed);
  for (int i = 0; i < 5000; ++i) {
    const auto a = static_cast<long>(random.below(4000)) - 2000;
    const auto b = static_cast<long>(random.below(4000)) - 2000;
    const auto text = [](long n) {
      const long magnitude = n < 0 ? -n : n;
      auto fraction = std::to_string(100 + magnitude % 100).substr(1);
      return (n < 0 ? "-" : "") + std::to_string(magnitude / 100) + "." + fraction;
    };
    EXPECT_EQ(decimal(text(a)) <=> decimal(text(b)), a <=> b) << text(a) << ' ' << text(b);
  }
}

TEST(Number, PlacesCountWhatWasWritten) {
  EXPECT_EQ(decimal("1").places(), 0);
  EXPECT_EQ(decimal("1.50").places(), 2);
  EXPECT_EQ(decimal("15e-1").places(), 1);
  EXPECT_EQ(decimal("1.5e1").places(), 0);
  EXPECT_EQ(decimal("1.5e3").places(), 0);
}

TEST(Number, IntegersAreThirtyTwoBits) {
  EXPECT_EQ(parse_integer("2147483647"), 2147483647);
  EXPECT_EQ(parse_integer("-2147483648"), -2147483647 - 1);
  EXPECT_EQ(parse_integer("0"), 0);
  for (const auto* bad :
       {"2147483648", "-2147483649", "", "-", "+1", "01", "1.0", "1e0", " 1", "1 ", "4294967296"})
    EXPECT_FALSE(parse_integer(bad)) << bad;
}

std::optional<std::string> sum(std::initializer_list<std::string_view> terms) {
  DecimalSum s;
  for (const auto term : terms) s.add(term);
  return s.total();
}

TEST(Number, SumsAreExactAndKeepTheMostExactPlaces) {
  EXPECT_EQ(sum({}), "0");
  EXPECT_EQ(sum({"1", "2", "3"}), "6");
  EXPECT_EQ(sum({"0.1", "0.2"}), "0.3");
  EXPECT_EQ(sum({"2.50", "1"}), "3.50");
  EXPECT_EQ(sum({"1", "2.50"}), "3.50");
  EXPECT_EQ(sum({"-1.5", "0.5"}), "-1.0");
  EXPECT_EQ(sum({"-0.05"}), "-0.05");
  EXPECT_EQ(sum({"1e3", "1"}), "1001");
  EXPECT_EQ(sum({"1e-2", "1"}), "1.01");
}

TEST(Number, ASumBeyondItsDigitsOrOfNoNumberHasNoTotal) {
  EXPECT_TRUE(sum({std::string(35, '9')}));
  EXPECT_FALSE(sum({std::string(40, '9')}));
  EXPECT_FALSE(sum({"1e40"}));
  EXPECT_FALSE(sum({"1", "one"}));
  EXPECT_FALSE(sum({"1", ""}));
}

}  // namespace
}  // namespace vesper
