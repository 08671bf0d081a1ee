#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace vesper {

/// Which bytes may stand where in an HTTP message.
///   Source: RFC 9110 section 5.6.2 (token), RFC 3986 appendix A (URI), RFC 9112 section 7.
struct CharacterClasses {
  static constexpr std::uint8_t token = 1;     ///< methods, field names, chunk extensions
  static constexpr std::uint8_t target = 2;    ///< path and query of a request target
  static constexpr std::uint8_t reg_name = 4;  ///< host names; no comma, see is_host()
  static constexpr std::uint8_t value = 8;     ///< field values: visible, blank, tab, obs-text
  static constexpr std::uint8_t digit = 16;
  static constexpr std::uint8_t hex = 32;
  static constexpr std::uint8_t bracket = 64;  ///< only around IPv6 addresses

  std::array<std::uint8_t, 256> of{};

  constexpr void add(std::string_view characters, std::uint8_t kind) {
    for (const char c : characters) of[static_cast<std::uint8_t>(c)] |= kind;
  }
  constexpr CharacterClasses() {
    constexpr std::string_view digits = "0123456789";
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    add(digits, token | target | reg_name | digit | hex);
    add(letters, token | target | reg_name);
    add("ABCDEFabcdef", hex);
    add("!#$%&'*+-.^_`|~", token);
    add("-._~!$&'()*+,;=:@/?%", target);
    add("-._~!$&'()*+;=%", reg_name);
    add("[]", bracket);
    for (unsigned c = 0x20; c < 0x100; ++c)
      if (c != 0x7f) of[c] |= value;
    of['\t'] |= value;
  }
};

inline constexpr CharacterClasses character_classes;

[[nodiscard]] constexpr bool is_in(char c, std::uint8_t kind) {
  return (character_classes.of[static_cast<std::uint8_t>(c)] & kind) != 0;
}

/// Equal without case; `lower` is lower case already.
[[nodiscard]] constexpr bool equals_lower(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) != lower[i]) return false;
  }
  return true;
}

}  // namespace vesper
