#include "model/peer_address.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace vesper {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t v4_at = v4_prefix.size();

/// A whole number of at most `digits` digits, without a leading zero unless `zeros`.
std::optional<unsigned> number_of(std::string_view text, std::size_t digits, int base, bool zeros) {
  if (text.empty() || text.size() > digits || (!zeros && text.size() > 1 && text[0] == '0'))
    return {};
  unsigned value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (fault != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

bool parse_v4(std::string_view text, std::uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    const std::size_t dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return false;
    const auto octet = number_of(text.substr(0, dot), 3, 10, false);
    if (!octet || *octet > 255) return false;
    out[i] = static_cast<std::uint8_t>(*octet);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return text.empty();
}

/// Groups between colons into `out`; how many bytes, or nothing.
std::optional<std::size_t> parse_groups(std::string_view text, std::uint8_t (&out)[16],
                                        bool v4_allowed) {
  std::size_t size = 0;
  while (!text.empty()) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, colon);
    if (group.find('.') != std::string_view::npos) {
      if (!v4_allowed || colon != text.size() || size > 12 || !parse_v4(group, out + size))
        return {};
      return size + 4;
    }
    const auto value = number_of(group, 4, 16, true);
    if (!value || size > 14) return {};
    out[size++] = static_cast<std::uint8_t>(*value >> 8);
    out[size++] = static_cast<std::uint8_t>(*value);
    if (colon == text.size()) return size;
    text.remove_prefix(colon + 1);
    if (text.empty()) return {};  // one colon at the end
  }
  return size;
}

std::optional<PeerAddress> parse_v6(std::string_view text) {
  PeerAddress address;
  std::uint8_t front[16]{}, back[16]{};
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    const auto size = parse_groups(text, front, true);
    if (size != 16) return {};
    std::memcpy(address.bytes.data(), front, sizeof front);
    return address;
  }
  const auto before = parse_groups(text.substr(0, gap), front, false);
  const auto after = parse_groups(text.substr(gap + 2), back, true);
  if (!before || !after || *before + *after > 14) return {};
  std::memcpy(address.bytes.data(), front, *before);
  std::memcpy(address.bytes.data() + 16 - *after, back, *after);
  return address;
}

std::uint8_t mask_of(std::size_t byte, unsigned prefix_bits) {
  const int bits = std::clamp(static_cast<int>(prefix_bits) - static_cast<int>(byte * 8), 0, 8);
  return static_cast<std::uint8_t>(0xff00 >> bits);
}

}  // namespace

PeerAddress PeerAddress::v4(const std::uint8_t (&octets)[4]) {
  PeerAddress address;
  std::ranges::copy(v4_prefix, address.bytes.begin());
  std::memcpy(address.bytes.data() + v4_at, octets, sizeof octets);
  return address;
}

bool PeerAddress::is_v4() const {
  return std::memcmp(bytes.data(), v4_prefix.data(), v4_prefix.size()) == 0;
}

std::optional<PeerAddress> parse_peer_address(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return parse_v6(text);
  std::uint8_t octets[4];
  if (!parse_v4(text, octets)) return {};
  return PeerAddress::v4(octets);
}

bool Network::contains(const PeerAddress& address) const {
  if (address.is_v4() != first.is_v4()) return false;
  for (std::size_t i = 0; i < address.bytes.size(); ++i)
    if (((address.bytes[i] ^ first.bytes[i]) & mask_of(i, prefix_bits)) != 0) return false;
  return true;
}

std::optional<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto first = parse_peer_address(text.substr(0, slash));
  if (!first) return {};
  if (slash == std::string_view::npos) return Network{*first, 128};
  const auto bits = number_of(text.substr(slash + 1), 3, 10, false);
  const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  if (!bits || *bits > (v4 ? 32U : 128U)) return {};
  const Network network{*first, static_cast<std::uint8_t>(*bits + (v4 ? 96U : 0U))};
  for (std::size_t i = 0; i < first->bytes.size(); ++i)
    if ((first->bytes[i] & ~mask_of(i, network.prefix_bits)) != 0) return {};
  return network;
}

}  // namespace vesper
