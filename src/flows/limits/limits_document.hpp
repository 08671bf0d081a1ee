#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "flows/json_text.hpp"
#include "stages/admission/limits.hpp"

namespace vesper {

/// Limits as JSON: what GET /limits shows, POST /limits takes and the kept file holds.
enum class WriteDoor : std::uint8_t { yes, no };
void write_limits(JsonText& json, const admission::Limits& limits,
                  WriteDoor with_door = WriteDoor::yes);

/// What `text` states takes the place of what `base` says; null takes a member away.
///   Bounds: rates 0 to 1e9; weights 0.001 to 1000; percents 1 to 100; at most 1,000 trials; the
///           door's as the keys of the configuration.
///   Errors: one sentence that names the member. An unknown one is an error: a limit that is
///   spelled wrongly would not limit.
[[nodiscard]] std::expected<admission::Limits, std::string> patch_limits(admission::Limits base,
                                                                         std::string_view text);

}  // namespace vesper
