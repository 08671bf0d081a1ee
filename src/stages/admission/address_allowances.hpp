#pragma once
#include <cstdint>

#include "base/sip_hash.hpp"
#include "model/peer_address.hpp"
#include "stages/admission/allowance_table.hpp"

namespace vesper::admission {

/// Requests a second and open connections of each peer address.
///   Shape:  one bucket and one count for all addresses of a group (client_address.hpp). Those who
///           are refused for the same address get slots of it, one after the other: many phones may
///           stand behind one address.
///   Bounds: names_max of AllowanceTable each, 16 bytes an address and only for those seen. Where a
///           set is full the address that has used least is forgotten: who comes from ever new
///           addresses displaces its own like, and never one that is being held to its limit.
///   Thread: any; no lock, no allocation.
class AddressAllowances {
 public:
  static constexpr std::size_t names_max = 1 << 18;

  explicit AddressAllowances(HashSeed seed) : seed_(seed) {}

  /// Zero when one was taken; else how long until the slot booked for this request.
  [[nodiscard]] Duration take(const PeerAddress& address, const BucketRule& rule, Instant now);

  /// Counts one more open connection, unless there are `most` already.
  [[nodiscard]] bool open(const PeerAddress& address, std::uint32_t most);
  /// What open() counted.
  void close(const PeerAddress& address);

  [[nodiscard]] std::uint64_t evictions() const {
    return buckets_.evictions() + connections_.evictions();
  }

 private:
  [[nodiscard]] std::uint64_t name_of(const PeerAddress& address) const;

  HashSeed seed_;
  AllowanceTable buckets_{names_max}, connections_{names_max};
};

}  // namespace vesper::admission
