#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vesper {

/// Longest decimal that is taken, in characters, and the largest exponent of either sign.
///   Source: FHIR R4 asks for 18 digits; this leaves room and bounds the work.
inline constexpr std::size_t decimal_chars_max = 64;
inline constexpr int decimal_exponent_max = 64;

/// A decimal number exactly as its digits say it: no double is ever involved.
///   Shape: coefficient digits without leading or trailing zeros (none: the number is 0), times
///   ten to `exponent`.
class Decimal {
 public:
  /// Parses the FHIR R4 grammar `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
  ///   Errors: nothing for other text and past the bounds above.
  [[nodiscard]] static std::optional<Decimal> parse(std::string_view text);

  /// The same number times ten to `power`.
  [[nodiscard]] Decimal shifted(int power) const;
  /// Digits after the point as they were written: 1.50 has two, 15e-1 has one.
  [[nodiscard]] int places() const { return places_; }

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == 0; }

 private:
  bool negative_ = false;
  int count_ = 0, exponent_ = 0, places_ = 0;
  std::array<char, decimal_chars_max> digits_;
};

/// FHIR integer: `-?(0|[1-9][0-9]*)` within 32 bits.
[[nodiscard]] std::optional<std::int32_t> parse_integer(std::string_view text);

/// Exact sum of decimals.
///   Bounds: 36 digits; beyond them, and after anything that is no decimal, there is no total.
class DecimalSum {
 public:
  void add(std::string_view decimal);
  /// With as many digits after the point as the most exact term had.
  [[nodiscard]] std::optional<std::string> total() const;

 private:
  __extension__ using Wide = __int128;
  Wide scaled_ = 0;
  int places_ = 0;
  bool exact_ = true;
};

}  // namespace vesper
