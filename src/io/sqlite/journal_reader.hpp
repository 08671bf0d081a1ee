#pragma once
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "io/sqlite/connection.hpp"
#include "io/sqlite/group_proofs.hpp"
#include "io/sqlite/journal_options.hpp"
#include "io/sqlite/key_index.hpp"
#include "io/sqlite/outbox_tables.hpp"
#include "model/journal_rules.hpp"
#include "ports/journal_store.hpp"

namespace vesper {

/// Reads committed state on a connection of its own, which never writes and never checkpoints.
///   Shape:  keys not yet in the table come from the journal's memory, so a diary is found at once
///           after its 201.
///   Bounds: one short statement series a call: no read transaction outlives a call, so the
///           write-ahead log is not held back.
///   Thread: one at a time.
class JournalReader {
 public:
  /// Throws SqliteError.
  JournalReader(const SqliteOptions& options, const JournalRules& rules, const KeyIndex& keys,
                const Leases& leases, const ReceiptKeyTable& receipt_keys, Uuid chain_id);

  std::expected<StoredDiary, StoreFault> find(std::string_view trial_id, PatientText subject_id,
                                              Uuid submission_id);
  std::expected<std::vector<StoredDiary>, StoreFault> find_in_trial(std::string_view trial_id,
                                                                    Uuid submission_id);
  std::expected<StoredDiary, StoreFault> at(Position position);
  std::expected<std::vector<SharedDiary>, StoreFault> at_all(std::span<const Position> positions);
  std::expected<std::vector<TrialRow>, StoreFault> trials();
  std::expected<std::vector<OutboxCounts>, StoreFault> counts();
  std::expected<std::vector<Settlement>, StoreFault> parked(std::string_view destination,
                                                            Position after, std::size_t limit);

 private:
  struct Context {
    std::string encoding;
    EntryContext view;  ///< into `encoding`
  };
  [[nodiscard]] std::optional<StoredDiary> read(Position position, bool with_delivery);
  void fill(StoredDiary& diary, const Statement& row);
  void add_proof(StoredDiary& diary, const Context& shared);
  void add_delivery(StoredDiary& diary, const EntryContext& context);
  [[nodiscard]] DeliveryStatus delivery_of(std::string_view destination, Position position);
  [[nodiscard]] const Context& context(std::int64_t id);
  [[nodiscard]] std::optional<Position> position_of(const Uuid& submission_id,
                                                    const Uuid& delivery_id);

  const JournalRules& rules_;
  const KeyIndex& keys_;
  const Leases& leases_;
  Uuid chain_id_;
  Connection connection_;
  Statement by_key_, by_prefix_, diary_, context_, status_, destination_, counts_, parked_;
  std::unordered_map<std::int64_t, std::unique_ptr<Context>> contexts_;
  GroupProofs proofs_;
};

}  // namespace vesper
