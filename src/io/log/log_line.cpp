#include "io/log/log_line.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "base/encoding.hpp"
#include "base/wall_time.hpp"

namespace vesper {
namespace {

constexpr std::size_t text_bytes_max = 4096;

void append_text(std::string& out, std::string_view text) {
  out += '"';
  if (text.size() > text_bytes_max) {
    std::size_t cut = text_bytes_max;
    while (cut > text_bytes_max - 4 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80)
      --cut;
    text = text.substr(0, cut);
  }
  std::size_t bad = 0;
  while (!valid_utf8(text, &bad)) {
    append_json_escaped(out, text.substr(0, bad));
    out += "\xef\xbf\xbd";
    text.remove_prefix(bad + 1);
  }
  append_json_escaped(out, text);
  out += '"';
}

struct AppendValue {
  std::string& out;
  void operator()(std::string_view value) const { append_text(out, value); }
  void operator()(std::int64_t value) const {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
  void operator()(double value) const {
    if (std::isfinite(value))
      fmt::format_to(std::back_inserter(out), "{}", value);
    else
      out += "null";  // JSON has no infinity and no NaN
  }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(const Uuid& value) const {
    out += '"';
    out += to_string(value);
    out += '"';
  }
};

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::always:
      return "info";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (auto level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error})
    if (text == to_string(level)) return level;
  return std::nullopt;
}

void append_log_line(std::string& out, WallTime at, LogLevel level, std::string_view action,
                     std::string_view message, std::initializer_list<LogField> fields) {
  char time[wall_time_chars];
  format_wall_time(at, time);
  out += R"({"@timestamp":")";
  out.append(time, wall_time_chars);
  out += R"(","log.level":")";
  out += to_string(level);
  out += R"(","event.action":)";
  append_text(out, action);
  out += R"(,"message":)";
  append_text(out, message);
  for (const LogField& field : fields) {
    out += ',';
    append_text(out, field.name);
    out += ':';
    std::visit(AppendValue{out}, field.value);
  }
  out += R"(,"ecs.version":"8.11.0"})";
  out += '\n';
}

}  // namespace vesper
