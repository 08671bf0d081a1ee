#include "stages/fhir/check/temporal.hpp"

#include <algorithm>

#include "base/wall_time.hpp"

namespace vesper {
namespace {

constexpr std::size_t day_chars = 10, time_chars = 8, fraction_chars_max = 9;

bool two_digits(std::string_view s, std::size_t at, int most) {
  const auto digit = [&](std::size_t i) { return s[i] >= '0' && s[i] <= '9'; };
  return digit(at) && digit(at + 1) && (s[at] - '0') * 10 + (s[at + 1] - '0') <= most;
}

// The digits after the second, without trailing zeros, so that they compare as text.
std::string_view fraction_of(std::string_view text) {
  const auto point = text.find('.');
  if (point == std::string_view::npos) return {};
  auto digits = text.substr(point + 1);
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  const auto last = digits.find_last_not_of('0');
  return last == std::string_view::npos ? std::string_view{} : digits.substr(0, last + 1);
}

std::strong_ordering compare_text(std::string_view a, std::string_view b) {
  return a.compare(b) <=> 0;
}

bool is_instant(const ParsedDateTime& t) {
  return t.precision > static_cast<int>(day_chars) && t.offset_minutes.has_value();
}

}  // namespace

bool is_date(std::string_view text) {
  return text.size() <= day_chars && parse_date_time(text).has_value();
}

bool is_date_time(std::string_view text) {
  const auto parsed = parse_date_time(text);
  return parsed && (text.size() <= day_chars || parsed->offset_minutes);
}

bool is_time(std::string_view text) {
  if (text.size() < time_chars || text[2] != ':' || text[5] != ':') return false;
  if (!two_digits(text, 0, 23) || !two_digits(text, 3, 59) || !two_digits(text, 6, 59))
    return false;
  const auto rest = text.substr(time_chars);
  if (rest.empty()) return true;
  return rest[0] == '.' && rest.size() > 1 && rest.size() <= fraction_chars_max + 1 &&
         rest.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

std::optional<std::strong_ordering> compare_temporal(std::string_view a, std::string_view b) {
  if (is_time(a) && is_time(b)) {
    const auto order = compare_text(a.substr(0, time_chars), b.substr(0, time_chars));
    return order != 0 ? order : compare_text(fraction_of(a), fraction_of(b));
  }
  const auto left = parse_date_time(a), right = parse_date_time(b);
  if (!left || !right) return {};
  if (is_instant(*left) && is_instant(*right)) {
    const auto seconds = [](const ParsedDateTime& t) {
      return std::chrono::floor<std::chrono::seconds>(t.utc);
    };
    const auto order = seconds(*left) <=> seconds(*right);
    return order != 0 ? order : compare_text(fraction_of(a), fraction_of(b));
  }
  const auto common = std::min({a.size(), b.size(), day_chars});
  return compare_text(a.substr(0, common), b.substr(0, common));
}

}  // namespace vesper
