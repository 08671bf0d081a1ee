#include "stages/journal/chain.hpp"

#include "base/ensure.hpp"
#include "stages/journal/sha256.hpp"

namespace vesper {
namespace {

constexpr std::string_view leaf_tag{"\x00", 1}, node_tag{"\x01", 1}, link_tag{"\x02", 1},
    genesis_tag{"\x03", 1}, carried_tag{"\x05", 1};

Hash node(const Hash& left, const Hash& right) {
  return Sha256().update(node_tag).update(left).update(right).finish();
}

/// Replaces a level by the one above it; an odd last node moves up unchanged, which gives the same
/// tree as RFC 6962's split at the largest power of two.
void fold(std::vector<Hash>& level) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < level.size(); i += 2, ++kept)
    level[kept] = i + 1 < level.size() ? node(level[i], level[i + 1]) : level[i];
  level.resize(kept);
}

void put(Sha256& hash, std::uint64_t value, std::size_t size) {
  std::uint8_t bytes[8];
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
  hash.update(std::span<const std::uint8_t>{bytes, size});
}

}  // namespace

Hash chain_leaf(const Salt& salt, const Hash& entry_digest) {
  return Sha256().update(leaf_tag).update(salt).update(entry_digest).finish();
}

Hash merkle_root(std::span<const Hash> leaves) {
  ensure(!leaves.empty());
  thread_local std::vector<Hash> level;
  level.assign(leaves.begin(), leaves.end());
  while (level.size() > 1) fold(level);
  return level.front();
}

Hash chain_genesis(Uuid chain_id) {
  return Sha256().update(genesis_tag).update(chain_id.bytes).finish();
}

Hash chain_link(const GroupSeal& seal) {
  Sha256 hash;
  hash.update(link_tag).update(seal.previous).update(seal.root);
  put(hash, seal.number, 8);
  put(hash, seal.count, 4);
  put(hash, seal.first_position, 8);
  put(hash, static_cast<std::uint64_t>(seal.committed_at.time_since_epoch().count()), 8);
  return hash.finish();
}

Hash chain_carried(const Hash& link, std::string_view kid, const Signature& signature) {
  return Sha256().update(carried_tag).update(link).update(signature).update(kid).finish();
}

void grow_tree(std::vector<Hash>& nodes) {
  ensure(!nodes.empty());
  std::size_t level = 0, count = nodes.size();
  nodes.reserve(2 * count + 32);
  while (count > 1) {
    for (std::size_t i = level; i < level + count; i += 2)
      nodes.push_back(i + 1 < level + count ? node(nodes[i], nodes[i + 1]) : nodes[i]);
    level += count;
    count = (count + 1) / 2;
  }
}

std::vector<Hash> inclusion_path(std::span<const Hash> leaves, std::size_t index) {
  ensure(index < leaves.size());
  std::vector<Hash> path, nodes(leaves.begin(), leaves.end());
  grow_tree(nodes);
  visit_path(nodes, index, leaves.size(), [&](const Hash& step) { path.push_back(step); });
  return path;
}

std::optional<Hash> root_of_path(const Hash& leaf, std::size_t index, std::size_t count,
                                 std::span<const Hash> path) {
  if (index >= count) return std::nullopt;
  Hash hash = leaf;
  std::size_t used = 0;
  for (; count > 1; index /= 2, count = (count + 1) / 2) {
    if ((index ^ 1) >= count) continue;
    if (used == path.size()) return std::nullopt;
    hash = index % 2 == 0 ? node(hash, path[used]) : node(path[used], hash);
    ++used;
  }
  return used == path.size() ? std::optional{hash} : std::nullopt;
}

bool verify_inclusion(const Hash& leaf, std::size_t index, std::size_t count,
                      std::span<const Hash> path, const Hash& root) {
  return root_of_path(leaf, index, count, path) == root;
}

}  // namespace vesper
