#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/journal_rules.hpp"

namespace vesper {

/// The audit chain: one link a commit group over a Merkle root of its entries.
///   Shape: leaf = H(00 || salt || entry digest); node = H(01 || left || right);
///          link = H(02 || previous || root || number || count || first position || committed ms);
///          genesis = H(03 || chain id). H is SHA-256, numbers are big-endian.
///   Why:   the first byte keeps leaves, nodes and links apart; the salt lets an entry be erased
///          later (salt and content go, the leaf stays) while the chain still verifies.
///   Source: tree shape and inclusion paths of RFC 6962, 2.1.
[[nodiscard]] Hash chain_leaf(const Salt& salt, const Hash& entry_digest);
/// Bounds: at least one leaf.
[[nodiscard]] Hash merkle_root(std::span<const Hash> leaves);
[[nodiscard]] Hash chain_genesis(Uuid chain_id);
[[nodiscard]] Hash chain_link(const GroupSeal& seal);

/// The siblings that lead from leaf `index` to the root, lowest first.
[[nodiscard]] std::vector<Hash> inclusion_path(std::span<const Hash> leaves, std::size_t index);
/// True when `path` proves that `leaf` is number `index` of `count` under `root`.
[[nodiscard]] bool verify_inclusion(const Hash& leaf, std::size_t index, std::size_t count,
                                    std::span<const Hash> path, const Hash& root);

}  // namespace vesper
