#pragma once
#include <cstddef>
#include <string_view>

namespace vesper::access {

inline constexpr std::size_t plain_text_bytes_max = 256;

/// Names that tokens and keys carry (subject, site, trial, kid): 1 to 256 bytes, no control
/// character, so that they can be stored, compared and shown without surprise. UTF-8 is the JSON
/// parser's promise.
[[nodiscard]] constexpr bool is_plain_text(std::string_view text) {
  if (text.empty() || text.size() > plain_text_bytes_max) return false;
  unsigned stranger = 0;  // no branch in the loop: the compiler makes vectors of it
  for (const char c : text)
    stranger |= static_cast<unsigned>(static_cast<unsigned char>(c) < 0x20) |
                static_cast<unsigned>(c == 0x7f);
  return stranger == 0;
}

}  // namespace vesper::access
