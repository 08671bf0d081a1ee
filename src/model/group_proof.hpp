#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/journal.hpp"

namespace vesper {

/// Raw: of EdDSA as RFC 8032 has it, of ES256 r then s.
using Signature = std::array<std::uint8_t, 64>;

/// All that a link of the audit chain binds.
struct GroupSeal {
  Hash previous{};              ///< what the group before carries on, or the chain's genesis
  Hash root{};                  ///< Merkle root over the leaves
  std::uint64_t number = 0;     ///< from 1
  std::uint32_t count = 0;      ///< leaves: diaries first, then audit events, then conflicts
  Position first_position = 0;  ///< of its first diary; the next free one when it has none
  WallTime committed_at;
};

/// What a receipt key signs.
struct LinkStatement {
  Uuid chain;
  std::uint64_t group = 0;
  Hash link{};
};

/// A receipt key, without its secret half.
struct ReceiptKeyFacts {
  std::string kid;         ///< thumbprint of the public key (RFC 7638)
  std::string algorithm;   ///< EdDSA or ES256, as JWS names them
  std::string public_key;  ///< 32 bytes of Ed25519, or x and y of P-256
  std::uint64_t first_group = 0;
  std::uint64_t last_group = 0;  ///< 0: in force
  WallTime made_at;              ///< when it was taken into use
};

/// Signs links. Made by stages/journal, used by the store inside a group.
///   Thread: one at a time.
class LinkSigner {
 public:
  virtual ~LinkSigner() = default;
  /// Only kid, algorithm and public_key are filled.
  [[nodiscard]] virtual const ReceiptKeyFacts& key() const = 0;
  [[nodiscard]] virtual Signature sign(const LinkStatement& statement) const = 0;
};

/// A link with its signature: the newest one is what an anchor states.
struct SignedLink {
  LinkStatement statement;
  WallTime committed_at;
  std::string kid, algorithm;
  Signature signature{};
};

/// What all receipts of one commit group share. Made once a group, never changed.
struct GroupProof {
  GroupSeal seal;
  std::vector<Hash> nodes;  ///< the tree: the leaves, then each level above, the root last
  std::shared_ptr<const ReceiptKeyFacts> key;
  Signature signature{};
  std::string text;  ///< the members of `proof` that are equal in all receipts of the group
};

}  // namespace vesper
