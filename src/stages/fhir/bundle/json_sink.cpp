#include "stages/fhir/bundle/json_sink.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/encoding.hpp"

namespace vesper {
namespace {

constexpr std::uint64_t every_byte(std::uint8_t b) {
  return 0x0101010101010101 * b;
}

// Sets the high bit of bytes that JSON wants escaped (and perhaps of a byte above one of those:
// good enough to choose the slow way, never wrong about a clean word).
constexpr std::uint64_t needs_escape(std::uint64_t word) {
  const auto zero_byte = [](std::uint64_t x) {
    return (x - every_byte(0x01)) & ~x & every_byte(0x80);
  };
  const std::uint64_t control = (word - every_byte(0x20)) & ~word & every_byte(0x80);
  return control | zero_byte(word ^ every_byte('"')) | zero_byte(word ^ every_byte('\\'));
}

constexpr std::array<std::string_view, 20> wide_blanks{
    "\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
    "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
    "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff"};

}  // namespace

bool is_blank(std::string_view text) {
  while (!text.empty()) {
    const char c = text[0];
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      text.remove_prefix(1);
      continue;
    }
    const auto wide = std::ranges::find_if(
        wide_blanks, [&](std::string_view blank) { return text.starts_with(blank); });
    if (static_cast<unsigned char>(c) < 0x80 || wide == wide_blanks.end()) return false;
    text.remove_prefix(wide->size());
  }
  return true;
}

void JsonSink::put_escaped(std::string_view text) {
  std::uint64_t found = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    found |= needs_escape(word);
  }
  std::array<char, 8> rest;
  rest.fill(' ');
  std::copy(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), rest.begin());
  std::uint64_t word;
  std::memcpy(&word, rest.data(), 8);
  if ((found | needs_escape(word)) == 0) return put(text);
  std::string escaped;
  append_json_escaped(escaped, text);
  put(escaped);
}

void JsonSink::grow(std::size_t used, std::size_t count) {
  const std::size_t size = std::max({used + count, used * 2, out_.capacity()});
  out_.resize_and_overwrite(size, [](char*, std::size_t all) { return all; });
  next_ = out_.data() + used;
  end_ = out_.data() + out_.size();
}

}  // namespace vesper
