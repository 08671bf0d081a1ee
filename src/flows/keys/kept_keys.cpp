#include "flows/keys/kept_keys.hpp"

#include <charconv>

namespace vesper {
namespace {

constexpr std::string_view first_line = "vesper kept keys 1";

std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string write_kept_keys(const KeptKeys& kept) {
  std::string text{first_line};
  text.append("\n").append(std::to_string(kept.fetched_at.time_since_epoch().count()));
  text.append("\n").append(kept.location).append("\n").append(kept.key_set);
  return text;
}

std::optional<KeptKeys> read_kept_keys(std::string_view text) {
  if (take_line(text) != first_line) return std::nullopt;
  const auto time = take_line(text), location = take_line(text);
  if (!time || !location) return std::nullopt;
  std::int64_t ms = 0;
  const auto parsed = std::from_chars(time->data(), time->data() + time->size(), ms);
  if (parsed.ec != std::errc{} || parsed.ptr != time->data() + time->size()) return std::nullopt;
  return KeptKeys{WallTime{std::chrono::milliseconds{ms}}, std::string{*location},
                  std::string{text}};
}

}  // namespace vesper
