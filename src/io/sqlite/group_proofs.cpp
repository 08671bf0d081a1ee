#include "io/sqlite/group_proofs.hpp"

#include <sqlite3.h>

#include <cstring>

namespace vesper {

GroupProofs::GroupProofs(Connection& connection, const JournalRules& rules,
                         const ReceiptKeyTable& keys, Uuid chain_id)
    : rules_(rules),
      keys_(keys),
      chain_id_(chain_id),
      select_(connection.prepare("SELECT receipt_key,signature,leaves,count,first_position,"
                                 "committed_at FROM groups WHERE number=?1")),
      previous_(
          connection.prepare("SELECT link,receipt_key,signature FROM groups WHERE number=?1")) {}

std::shared_ptr<const GroupProof> GroupProofs::of(std::uint64_t group) {
  auto& kept = kept_[group % kept_.size()];
  if (kept == nullptr || kept->seal.number != group)
    if (auto found = read(group)) kept = std::move(found);
  return kept != nullptr && kept->seal.number == group ? kept : nullptr;
}

void GroupProofs::keep(std::shared_ptr<const GroupProof> proof) {
  const std::size_t place = proof->seal.number % kept_.size();
  kept_[place] = std::move(proof);
}

std::shared_ptr<const GroupProof> GroupProofs::read(std::uint64_t group) {
  const RowGuard guard(select_);
  if (!select_.bind(1, static_cast<std::int64_t>(group)).step() || select_.is_null(0))
    return nullptr;
  auto made = std::make_shared<GroupProof>();
  made->key = keys_.find(select_.integer(0));
  const auto leaves = select_.bytes(2);
  const auto count = static_cast<std::size_t>(select_.integer(3));
  if (made->key == nullptr || count == 0 || leaves.size() != count * sizeof(Hash))
    throw SqliteError(SQLITE_CORRUPT, "a signed group has no key or not all of its leaves");
  made->signature = select_.exactly<sizeof(Signature)>(1);
  made->nodes.resize(count);
  std::memcpy(made->nodes.data(), leaves.data(), leaves.size());
  rules_.grow_tree(made->nodes);
  made->seal = {.previous = previous_of(group),
                .root = made->nodes.back(),
                .number = group,
                .count = static_cast<std::uint32_t>(count),
                .first_position = static_cast<Position>(select_.integer(4)),
                .committed_at = WallTime{std::chrono::milliseconds{select_.integer(5)}}};
  rules_.write_group_proof(*made, made->text);
  return made;
}

Hash GroupProofs::previous_of(std::uint64_t group) {
  if (group == 1) return rules_.genesis(chain_id_);
  const RowGuard guard(previous_);
  if (!previous_.bind(1, static_cast<std::int64_t>(group - 1)).step())
    throw SqliteError(SQLITE_CORRUPT, "the group before is missing");
  const Hash link = previous_.exactly<32>(0);
  const auto key = keys_.find(previous_.integer(1));
  return key == nullptr ? link
                        : rules_.carried(link, key->kid, previous_.exactly<sizeof(Signature)>(2));
}

}  // namespace vesper
