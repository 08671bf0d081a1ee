#include "base/encoding.hpp"

#include <array>

namespace vesper {
namespace {

constexpr char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr char std_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Six bits of each character, already shifted to its place among four; bit 31 marks a stranger.
constexpr std::uint32_t stranger = 0x80000000;
constexpr auto url_places = [] {
  std::array<std::array<std::uint32_t, 256>, 4> t{};
  for (auto& place : t) place.fill(stranger);
  for (std::uint32_t i = 0; i < 64; ++i)
    for (std::uint32_t place = 0; place < 4; ++place)
      t[place][static_cast<unsigned char>(url_alphabet[i])] = i << (18 - 6 * place);
  return t;
}();

std::string encode(std::string_view in, const char* alphabet, bool pad) {
  std::string out;
  out.reserve((in.size() + 2) / 3 * 4);
  std::size_t i = 0;
  const auto at = [&](std::size_t k) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(in[k]));
  };
  for (; i + 3 <= in.size(); i += 3) {
    const std::uint32_t v = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) out += alphabet[v >> shift & 63];
  }
  const std::size_t rest = in.size() - i;
  if (rest == 0) return out;
  const std::uint32_t v = at(i) << 16 | (rest == 2 ? at(i + 1) << 8 : 0);
  for (std::size_t k = 0; k <= rest; ++k) out += alphabet[v >> (18 - 6 * k) & 63];
  if (pad) out.append(3 - rest, '=');
  return out;
}

}  // namespace

void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  constexpr char hex[] = "0123456789abcdef";
  for (std::uint8_t b : bytes) {
    out += hex[b >> 4];
    out += hex[b & 15];
  }
}

bool decode_base64url(std::string_view text, std::string& out) {
  out.resize(text.size() * 3 / 4);
  const auto size = decode_base64url(text, out.data());
  out.resize(size.value_or(0));
  return size.has_value();
}

std::optional<std::size_t> decode_base64url(std::string_view text, char* out) {
  if (text.size() % 4 == 1) return std::nullopt;
  const auto place = [&](std::size_t i, std::size_t k) {
    return url_places[k][static_cast<unsigned char>(text[i + k])];
  };
  char* to = out;
  std::uint32_t seen = 0;
  std::size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    const std::uint32_t v = place(i, 0) | place(i, 1) | place(i, 2) | place(i, 3);
    seen |= v;
    to[0] = static_cast<char>(v >> 16);
    to[1] = static_cast<char>(v >> 8);
    to[2] = static_cast<char>(v);
    to += 3;
  }
  const std::size_t rest = text.size() - i;
  if (rest != 0) {
    std::uint32_t v = 0;
    for (std::size_t k = 0; k < rest; ++k) v |= place(i, k);
    seen |= v;
    *to++ = static_cast<char>(v >> 16);
    if (rest == 3) *to++ = static_cast<char>(v >> 8);
    if ((v & (rest == 3 ? 0xffu : 0xffffu)) != 0) return std::nullopt;
  }
  if ((seen & stranger) != 0) return std::nullopt;
  return static_cast<std::size_t>(to - out);
}

std::string encode_base64url(std::string_view bytes) {
  return encode(bytes, url_alphabet, false);
}
std::string encode_base64(std::string_view bytes) {
  return encode(bytes, std_alphabet, true);
}

bool valid_utf8(std::string_view s, std::size_t* error_at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  std::size_t i = 0;
  while (i < s.size()) {
    const unsigned char c = byte(i);
    if (c < 0x80) {
      ++i;
      continue;
    }
    std::size_t n = 0;
    unsigned char low = 0x80, high = 0xbf;  // bounds of the second byte
    if (c >= 0xc2 && c <= 0xdf)
      n = 1;
    else if (c >= 0xe0 && c <= 0xef)
      n = 2, low = c == 0xe0 ? 0xa0 : 0x80, high = c == 0xed ? 0x9f : 0xbf;
    else if (c >= 0xf0 && c <= 0xf4)
      n = 3, low = c == 0xf0 ? 0x90 : 0x80, high = c == 0xf4 ? 0x8f : 0xbf;
    bool good = n != 0 && i + n < s.size() && byte(i + 1) >= low && byte(i + 1) <= high;
    for (std::size_t k = 2; good && k <= n; ++k) good = byte(i + k) >= 0x80 && byte(i + k) <= 0xbf;
    if (!good) {
      if (error_at) *error_at = i;
      return false;
    }
    i += n + 1;
  }
  return true;
}

void append_json_escaped(std::string& out, std::string_view text) {
  constexpr char hex[] = "0123456789abcdef";
  std::size_t clean = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') [[likely]]
      continue;
    out.append(text, clean, i - clean);
    clean = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 15];
    }
  }
  out.append(text, clean, text.size() - clean);
}

}  // namespace vesper
