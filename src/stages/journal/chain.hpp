#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/journal_rules.hpp"

namespace vesper {

/// The audit chain: one link a commit group over a Merkle root of its entries.
///   Shape: leaf = H(00 || salt || entry digest); node = H(01 || left || right);
///          link = H(02 || previous || root || number || count || first position || committed ms);
///          genesis = H(03 || chain id); carried = H(05 || link || signature || kid).
///          `previous` is the genesis, the link of an unsigned group, or what a signed one carries:
///          so the last signature vouches for every byte before it, signatures too.
///          H is SHA-256, numbers are big-endian.
///   Why:   the first byte keeps leaves, nodes and links apart; the salt lets an entry be erased
///          later (salt and content go, the leaf stays) while the chain still verifies.
///   Source: tree shape and inclusion paths of RFC 6962, 2.1.
[[nodiscard]] Hash chain_leaf(const Salt& salt, const Hash& entry_digest);
/// Bounds: at least one leaf.
[[nodiscard]] Hash merkle_root(std::span<const Hash> leaves);
[[nodiscard]] Hash chain_genesis(Uuid chain_id);
[[nodiscard]] Hash chain_link(const GroupSeal& seal);
[[nodiscard]] Hash chain_carried(const Hash& link, std::string_view kid,
                                 const Signature& signature);

/// Appends to the leaves each level above them; the last node is the root.
///   Bounds: at least one leaf.
void grow_tree(std::vector<Hash>& nodes);
/// Calls `visit` with each sibling that leads from leaf `index` of `count` to the root, lowest
/// first: no hashing, no allocation.
template <class Visit>
void visit_path(std::span<const Hash> nodes, std::size_t index, std::size_t count, Visit visit) {
  for (std::size_t level = 0; count > 1; level += count, index /= 2, count = (count + 1) / 2)
    if (const std::size_t sibling = index ^ 1; sibling < count) visit(nodes[level + sibling]);
}

/// The siblings that lead from leaf `index` to the root, lowest first.
[[nodiscard]] std::vector<Hash> inclusion_path(std::span<const Hash> leaves, std::size_t index);
/// What `path` and the leaf come to; nothing when the path has not the length it must have.
[[nodiscard]] std::optional<Hash> root_of_path(const Hash& leaf, std::size_t index,
                                               std::size_t count, std::span<const Hash> path);
/// True when `path` proves that `leaf` is number `index` of `count` under `root`.
[[nodiscard]] bool verify_inclusion(const Hash& leaf, std::size_t index, std::size_t count,
                                    std::span<const Hash> path, const Hash& root);

}  // namespace vesper
