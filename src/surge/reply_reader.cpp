#include "surge/reply_reader.hpp"

#include <algorithm>
#include <charconv>

namespace vesper::surge {
namespace {

constexpr std::size_t head_bytes_max = 16u << 10, body_bytes_max = 16u << 20;

bool same(std::string_view text, std::string_view lower) {
  return std::ranges::equal(
      text, lower, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::optional<std::uint32_t> digits(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

ReadState read_reply(std::string_view bytes, Reply& reply) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos)
    return bytes.size() > head_bytes_max ? ReadState::not_http : ReadState::incomplete;
  if (!bytes.starts_with("HTTP/1.1 ") || end < 12) return ReadState::not_http;
  const auto status = digits(bytes.substr(9, 3));
  if (!status) return ReadState::not_http;
  reply = Reply{.status = static_cast<int>(*status)};
  std::size_t length = 0;
  for (std::size_t at = bytes.find("\r\n") + 2; at < end + 2;) {
    const std::size_t stop = bytes.find("\r\n", at);
    const std::string_view line = bytes.substr(at, stop - at);
    at = stop + 2;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return ReadState::not_http;
    const std::string_view name = line.substr(0, colon);
    if (name.size() == 14 && same(name, "content-length")) {
      const auto value = digits(trimmed(line.substr(colon + 1)));
      if (!value || *value > body_bytes_max) return ReadState::not_http;
      length = *value;
    } else if (name.size() == 11 && same(name, "retry-after")) {
      reply.retry_after_s = digits(trimmed(line.substr(colon + 1)));
    } else if (name.size() == 10 && same(name, "connection")) {
      reply.closing = same(trimmed(line.substr(colon + 1)), "close");
    }
  }
  reply.bytes = end + 4 + length;
  return bytes.size() < reply.bytes ? ReadState::incomplete : ReadState::complete;
}

}  // namespace vesper::surge
