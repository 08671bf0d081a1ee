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

constexpr auto hex_pairs = [] {
  std::array<char, 512> pairs{};
  for (std::size_t i = 0; i < 256; ++i) {
    pairs[2 * i] = "0123456789abcdef"[i >> 4];
    pairs[2 * i + 1] = "0123456789abcdef"[i & 15];
  }
  return pairs;
}();

Uuid name_based(const std::array<std::uint8_t, 20>& digest) {
  Uuid id;
  std::copy_n(digest.begin(), 16, id.bytes.begin());
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x50);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

constexpr std::size_t one_block_name_max = sha1_block_bytes - 16 - 9;  // 0x80 and 8 bytes of length

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
  for (std::size_t i = 0; i < 16; ++i)
    std::memcpy(out + digit_at[i], hex_pairs.data() + 2u * id.bytes[i], 2);
  out[8] = out[13] = out[18] = out[23] = '-';
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
  return name_based(hash.finish());
}

UuidName::UuidName(std::string_view name) {
  if (name.size() > one_block_name_max) {
    long_name_ = name;
    return;
  }
  std::copy(name.begin(), name.end(), block_.begin() + 16);
  block_[16 + name.size()] = 0x80;
  const std::size_t bits = 8 * (16 + name.size());
  block_[62] = static_cast<std::uint8_t>(bits >> 8);
  block_[63] = static_cast<std::uint8_t>(bits);
}

Uuid UuidName::in(const Uuid& space) const {
  if (!long_name_.empty()) return uuid_v5(space, long_name_);
  std::array<std::uint8_t, 64> block = block_;
  std::copy(space.bytes.begin(), space.bytes.end(), block.begin());
  return name_based(sha1_of_padded_block(block.data()));
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
