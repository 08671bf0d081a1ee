#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "ports/log.hpp"

namespace vesper {

[[nodiscard]] std::string_view to_string(LogLevel level);
[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view text);

/// Appends one JSON object and a newline.
///   Shape:  @timestamp, log.level, event.action, message, then `fields` in their order.
///   Bounds: a text longer than 4 KiB is cut; bytes that are not UTF-8 become U+FFFD.
///   Source: Elastic Common Schema 8.11, ecs-logging specification.
void append_log_line(std::string& out, WallTime at, LogLevel level, std::string_view action,
                     std::string_view message, std::initializer_list<LogField> fields);

}  // namespace vesper
