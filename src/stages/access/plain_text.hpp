#pragma once
#include <algorithm>
#include <string_view>

namespace vesper::access {

inline constexpr std::size_t plain_text_bytes_max = 256;

/// Names that tokens and keys carry (subject, site, trial, kid): 1 to 256 bytes, no control
/// character, so that they can be stored, compared and shown without surprise. UTF-8 is the JSON
/// parser's promise.
[[nodiscard]] constexpr bool is_plain_text(std::string_view text) {
  return !text.empty() && text.size() <= plain_text_bytes_max &&
         std::ranges::none_of(
             text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace vesper::access
