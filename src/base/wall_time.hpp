#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace vesper {

inline constexpr std::size_t wall_time_chars = 24;  // 2026-11-20T12:14:05.123Z

/// Writes `t` as `2026-11-20T12:14:05.123Z`, 24 characters, without a terminator.
///   Bounds: years 0000 to 9999; `out` has room for wall_time_chars.
void format_wall_time(WallTime t, char* out);
[[nodiscard]] std::string to_string(WallTime t);

/// What a FHIR dateTime says, as far as it says it.
struct ParsedDateTime {
  WallTime utc;                       ///< local time minus offset; offset 0 when none was given
  std::optional<int> offset_minutes;  ///< as written; `Z` is 0
  int precision = 0;                  ///< 4 year, 7 month, 10 day, 19 second, 23 with a fraction
};

/// Parses the FHIR R4 dateTime grammar: YYYY, YYYY-MM, YYYY-MM-DD, or a full time that ends with an
/// offset. A full time without an offset is taken too (offset_minutes is empty): the caller
/// decides.
///   Errors: nothing for an impossible date, hour 24, second 60 or any other text.
[[nodiscard]] std::optional<ParsedDateTime> parse_date_time(std::string_view text);

}  // namespace vesper
