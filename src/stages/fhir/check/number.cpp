#include "stages/fhir/check/number.hpp"

#include <algorithm>
#include <charconv>

namespace vesper {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Where the parts of a decimal stand in its text.
struct Parts {
  bool negative = false;
  std::string_view whole, fraction;
  int exponent = 0;
};

std::string_view take_digits(std::string_view& rest) {
  std::size_t n = 0;
  while (n < rest.size() && is_digit(rest[n])) ++n;
  const auto digits = rest.substr(0, n);
  rest.remove_prefix(n);
  return digits;
}

bool take_exponent(std::string_view rest, int& exponent) {
  rest.remove_prefix(1);
  if (!rest.empty() && rest[0] == '+') rest.remove_prefix(1);
  const auto [end, fault] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
  return fault == std::errc{} && end == rest.data() + rest.size() && rest != "-" &&
         exponent >= -decimal_exponent_max && exponent <= decimal_exponent_max;
}

bool split(std::string_view rest, Parts& parts) {
  if (rest.empty() || rest.size() > decimal_chars_max) return false;
  if (rest[0] == '-') {
    parts.negative = true;
    rest.remove_prefix(1);
  }
  parts.whole = take_digits(rest);
  if (parts.whole.empty() || (parts.whole.size() > 1 && parts.whole[0] == '0')) return false;
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    parts.fraction = take_digits(rest);
    if (parts.fraction.empty()) return false;
  }
  if (rest.empty()) return true;
  if (rest[0] != 'e' && rest[0] != 'E') return false;
  if (rest.size() > 1 && rest[1] == '+' && rest.size() > 2 && !is_digit(rest[2])) return false;
  return take_exponent(rest, parts.exponent);
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  Parts parts;
  if (!split(text, parts)) return {};
  Decimal d;
  d.negative_ = parts.negative;
  for (const auto part : {parts.whole, parts.fraction})
    for (const char c : part)
      if (d.count_ > 0 || c != '0') d.digits_[static_cast<std::size_t>(d.count_++)] = c;
  const int fraction = static_cast<int>(parts.fraction.size());
  d.exponent_ = parts.exponent - fraction;
  d.places_ = std::max(0, fraction - parts.exponent);
  while (d.count_ > 0 && d.digits_[static_cast<std::size_t>(d.count_ - 1)] == '0') {
    --d.count_;
    ++d.exponent_;
  }
  if (d.count_ == 0) {
    d.negative_ = false;
    d.exponent_ = 0;
  }
  return d;
}

Decimal Decimal::shifted(int power) const {
  Decimal d = *this;
  if (d.count_ > 0) d.exponent_ += power;
  return d;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  const int sign_a = a.count_ == 0 ? 0 : a.negative_ ? -1 : 1;
  const int sign_b = b.count_ == 0 ? 0 : b.negative_ ? -1 : 1;
  if (sign_a != sign_b || sign_a == 0) return sign_a <=> sign_b;
  const Decimal& low = sign_a > 0 ? a : b;  // of two negatives the larger magnitude is less
  const Decimal& high = sign_a > 0 ? b : a;
  const int top_low = low.exponent_ + low.count_, top_high = high.exponent_ + high.count_;
  if (top_low != top_high) return top_low <=> top_high;
  const auto digits = [](const Decimal& d) {
    return std::string_view{d.digits_.data(), static_cast<std::size_t>(d.count_)};
  };
  return digits(low).compare(digits(high)) <=> 0;
}

std::optional<std::int32_t> parse_integer(std::string_view text) {
  std::string_view digits = text;
  if (!digits.empty() && digits[0] == '-') digits.remove_prefix(1);
  if (digits.empty() || !is_digit(digits[0]) || (digits.size() > 1 && digits[0] == '0')) return {};
  std::int32_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

void DecimalSum::add(std::string_view decimal) {
  Parts parts;
  exact_ = exact_ && split(decimal, parts);
  if (!exact_) return;
  constexpr Wide limit = Wide{1'000'000'000'000'000'000} * 1'000'000'000'000'000'000;
  Wide term = 0;
  const auto push = [&](Wide& number, int digit) {
    exact_ = exact_ && number < limit / 10 && number > -limit / 10;
    if (exact_) number = number * 10 + digit;
  };
  for (const auto part : {parts.whole, parts.fraction})
    for (const char c : part) push(term, c - '0');
  const int places = static_cast<int>(parts.fraction.size()) - parts.exponent;
  for (int i = places; i < 0; ++i) push(term, 0);
  for (int i = std::max(places, 0); i < places_; ++i) push(term, 0);
  for (; places_ < places; ++places_) push(scaled_, 0);
  if (exact_) scaled_ += parts.negative ? -term : term;
}

std::optional<std::string> DecimalSum::total() const {
  if (!exact_) return {};
  Wide rest = scaled_ < 0 ? -scaled_ : scaled_;
  std::string reversed;
  for (int written = 0; rest > 0 || written <= places_; ++written, rest /= 10) {
    if (written == places_ && places_ > 0) reversed.push_back('.');
    reversed.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  if (scaled_ < 0) reversed.push_back('-');
  std::ranges::reverse(reversed);
  return reversed;
}

}  // namespace vesper
