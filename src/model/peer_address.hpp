#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vesper {

/// An address of the network.
///   Shape:  16 bytes of IPv6; an IPv4 address is kept in its mapped form (::ffff:a.b.c.d), as
///   which
///           it also arrives at a socket that takes both.
struct PeerAddress {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] static PeerAddress v4(const std::uint8_t (&octets)[4]);
  [[nodiscard]] bool is_v4() const;
  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};

/// `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`.
///   Errors: nothing for what is not exactly one address: zones, blanks, octets with leading zeros.
///   Source: RFC 4291, 2.2.
[[nodiscard]] std::optional<PeerAddress> parse_peer_address(std::string_view text);

/// All addresses that begin with the same bits.
///   Bounds: of one family: `::/0` has no IPv4 address in it.
struct Network {
  PeerAddress first;
  std::uint8_t prefix_bits = 128;  ///< of the 16 bytes: 96 more than is written for IPv4

  [[nodiscard]] bool contains(const PeerAddress& address) const;
  friend bool operator==(const Network&, const Network&) = default;
};

/// `10.0.0.0/8`, `2001:db8::/32`, or one address.
///   Errors: nothing where bits are set past the prefix: `10.1.2.3/8` is a slip.
[[nodiscard]] std::optional<Network> parse_network(std::string_view text);

}  // namespace vesper
