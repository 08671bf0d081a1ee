#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vesper::decoding {

struct CodePoint {
  std::uint32_t code = 0;
  std::size_t length = 1;
};

/// The code point at `at` of well-formed UTF-8.
[[nodiscard]] CodePoint decode_code_point(std::string_view text, std::size_t at);

/// Character classes of XML 1.0, fifth edition: productions 2, 3, 4 and 4a.
[[nodiscard]] constexpr bool is_xml_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
[[nodiscard]] bool is_xml_character(std::uint32_t code);
[[nodiscard]] bool is_xml_name_start(std::uint32_t code);
[[nodiscard]] bool is_xml_name_character(std::uint32_t code);
/// `38` or `x26`: what stands between `&#` and `;`.
[[nodiscard]] bool is_character_reference(std::string_view digits);

}  // namespace vesper::decoding
