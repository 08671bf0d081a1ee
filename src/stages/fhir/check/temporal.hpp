#pragma once
#include <compare>
#include <optional>
#include <string_view>

namespace vesper {

/// FHIR date: YYYY, YYYY-MM or YYYY-MM-DD, an existing day.
[[nodiscard]] bool is_date(std::string_view text);
/// FHIR dateTime: a date, or a date with time and offset.
[[nodiscard]] bool is_date_time(std::string_view text);
/// FHIR time: hh:mm:ss with an optional fraction; no second 60, no hour 24.
[[nodiscard]] bool is_time(std::string_view text);

/// Compares two dates or dateTimes, or two times, as far as both are written.
///   Shape:  2022-06-30 and 2022-06 are equal: the day lies in that month. Two full times with
///           offsets compare as instants; a day and a full time compare by the day as written.
///   Errors: nothing when either is none of these, or one is a time and the other is not.
[[nodiscard]] std::optional<std::strong_ordering> compare_temporal(std::string_view a,
                                                                   std::string_view b);

}  // namespace vesper
