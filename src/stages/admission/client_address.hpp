#pragma once
#include <optional>
#include <span>
#include <vector>

#include "model/http.hpp"
#include "model/peer_address.hpp"

namespace vesper::admission {

/// In which header a trusted proxy names who it speaks for.
enum class ClientHeader : std::uint8_t { x_forwarded_for, forwarded };

/// Proxies whose word about their clients is believed.
struct ProxyTrust {
  std::vector<Network> networks;
  ClientHeader header = ClientHeader::x_forwarded_for;

  [[nodiscard]] bool trusts(const PeerAddress& peer) const;
};

/// Whom a request comes from, as far as it is certain.
///   Shape:  who is not trusted speaks for itself, whatever its headers say. Behind a trusted proxy
///           it is the rightmost address that is not a trusted proxy's: it was written by one.
///           Where all are trusted it is the first of them.
///   Errors: nothing where a trusted proxy names nobody that can be read: no header, `unknown`, an
///           obfuscated name.
///   Why:    read from the right, since what stands on the left is what the client itself sent.
///   Source: RFC 7239; X-Forwarded-For as proxies write it, with or without a port.
[[nodiscard]] std::optional<PeerAddress> client_of(const PeerAddress& peer,
                                                   std::span<const Header> headers,
                                                   const ProxyTrust& trust);

/// Addresses that count as one: an IPv4 address, or the first 64 bits of an IPv6 address, all of
/// which one household or one phone has.
[[nodiscard]] PeerAddress group_of(const PeerAddress& address);

}  // namespace vesper::admission
