#include "base/uuid.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/sha1.hpp"

namespace vesper {
namespace {

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Where the two digits of each byte stand in the text form.
constexpr std::array<std::uint8_t, 16> digit_at{0,  2,  4,  6,  9,  11, 14, 16,
                                                19, 21, 24, 26, 28, 30, 32, 34};

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != uuid_chars || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
      text[23] != '-')
    return {};
  Uuid id;
  for (std::size_t i = 0; i < 16; ++i) {
    const int high = hex_value(text[digit_at[i]]), low = hex_value(text[digit_at[i] + 1u]);
    if (high < 0 || low < 0) return {};
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return id;
}

void format_uuid(const Uuid& id, char* out) {
  constexpr char hex[] = "0123456789abcdef";
  out[8] = out[13] = out[18] = out[23] = '-';
  for (std::size_t i = 0; i < 16; ++i) {
    out[digit_at[i]] = hex[id.bytes[i] >> 4];
    out[digit_at[i] + 1u] = hex[id.bytes[i] & 15];
  }
}

std::string to_string(const Uuid& id) {
  std::string s(uuid_chars, '-');
  format_uuid(id, s.data());
  return s;
}

Uuid uuid_v5(const Uuid& space, std::string_view name) {
  Sha1 hash;
  hash.update(space.bytes.data(), space.bytes.size());
  hash.update(name.data(), name.size());
  const auto digest = hash.finish();
  Uuid id;
  std::copy_n(digest.begin(), 16, id.bytes.begin());
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x50);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

Uuid uuid_v7(std::int64_t unix_ms, std::uint64_t random_a, std::uint64_t random_b) {
  Uuid id;
  for (int i = 0; i < 6; ++i)
    id.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(unix_ms >> (40 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (random_a & 0x0f));
  id.bytes[7] = static_cast<std::uint8_t>(random_a >> 8);
  std::memcpy(&id.bytes[8], &random_b, 8);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

}  // namespace vesper
