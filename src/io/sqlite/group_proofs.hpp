#pragma once
#include <array>
#include <memory>

#include "io/sqlite/connection.hpp"
#include "io/sqlite/receipt_key_table.hpp"
#include "model/journal_rules.hpp"

namespace vesper {

/// The proofs of stored groups, made again from their rows: equal bytes as when they were sealed.
///   Bounds: the last few groups asked for stay in memory, so that a storm of repeats of one
///   evening
///          does not hash each group's tree anew for every diary.
///   Thread: one at a time.
class GroupProofs {
 public:
  GroupProofs(Connection& connection, const JournalRules& rules, const ReceiptKeyTable& keys,
              Uuid chain_id);
  /// Nothing for a group that was not signed. Throws SqliteError.
  [[nodiscard]] std::shared_ptr<const GroupProof> of(std::uint64_t group);
  /// A group that was just sealed.
  void keep(std::shared_ptr<const GroupProof> proof);
  void forget() { kept_.fill(nullptr); }

 private:
  [[nodiscard]] std::shared_ptr<const GroupProof> read(std::uint64_t group);
  [[nodiscard]] Hash previous_of(std::uint64_t group);

  const JournalRules& rules_;
  const ReceiptKeyTable& keys_;
  Uuid chain_id_;
  Statement select_, previous_;
  std::array<std::shared_ptr<const GroupProof>, 64> kept_;  ///< at its number's remainder
};

}  // namespace vesper
