#pragma once
#include <string_view>

namespace vesper {

/// Whether `name` is a zone or link of the IANA time zone database, spelled exactly.
///   Why: embedded, so that lint gives the same answer on a machine without tzdata.
[[nodiscard]] bool is_timezone(std::string_view name);

}  // namespace vesper
