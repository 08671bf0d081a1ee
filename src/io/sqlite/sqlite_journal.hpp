#pragma once
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/sqlite/connection.hpp"
#include "io/sqlite/contexts.hpp"
#include "io/sqlite/group_proofs.hpp"
#include "io/sqlite/journal_file.hpp"
#include "io/sqlite/journal_options.hpp"
#include "io/sqlite/key_index.hpp"
#include "io/sqlite/outbox_tables.hpp"
#include "io/sqlite/prepared_entry.hpp"
#include "io/sqlite/receipt_key_table.hpp"
#include "io/sqlite/verify_chain.hpp"
#include "ports/clock.hpp"
#include "ports/entropy.hpp"
#include "ports/journal_store.hpp"

namespace vesper {

/// The journal on its one writing connection: what one commit group does, from BEGIN to a synced
/// COMMIT, and the checkpoints between groups.
///   Shape:  open -> commit_group* -> (broken) -> closed. Tasks are the other writers (settlements,
///           publications, audit): they run inside the group's transaction.
///   Errors: an I/O error breaks it for good: nothing is retried, everything after answers
///           `broken`, and the process is to end. A full disk is rolled back and answered.
///   Thread: one at a time; keys() readers and outbox().leases() excepted.
class SqliteJournal {
 public:
  using Result = std::expected<Committed, StoreFault>;
  using Task = std::move_only_function<void(SqliteJournal&)>;

  static std::expected<std::unique_ptr<SqliteJournal>, OpenFailure> open(
      const SqliteOptions& options, const JournalRules& rules, Clock& clock, Entropy& entropy);
  ~SqliteJournal();

  /// One transaction. `results[i]` is for `entries[i]`. What it returns is for the tasks: on a
  /// fault none of them has happened.
  std::expected<void, StoreFault> commit_group(std::span<const PreparedEntry* const> entries,
                                               std::span<Task> tasks, std::span<Result> results);
  /// Whether the last group stored debts.
  [[nodiscard]] bool group_owes() const { return group_owes_; }
  /// Copies the log into the database when it is long enough, or in any case. False: broken.
  bool checkpoint(bool force);
  /// For a clean stop: indexes what is left and empties the log. False: broken.
  bool settle_down();
  /// While true, new diaries get disk_reserve; replays, conflicts and tasks go on.
  void set_disk_reserve(bool reached) { disk_reserve_ = reached; }
  /// Reads every entry of the chain and compares. Throws nothing; empty: all verifies.
  [[nodiscard]] std::optional<std::string> verify_whole_chain();

  // Inside a task only.
  std::expected<void, StoreFault> publish(const TrialRow& row);
  void record(const AuditEvent& event, const Hash& attachment = {});
  [[nodiscard]] OutboxTables& outbox() { return outbox_; }

  [[nodiscard]] KeyIndex& keys() { return keys_; }
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] int wal_frames() const { return connection_->wal_frames(); }
  [[nodiscard]] Position last_position() const { return next_position_ - 1; }
  [[nodiscard]] Uuid chain_id() const { return chain_id_; }
  [[nodiscard]] const ReceiptKeyTable& receipt_keys() const { return receipt_keys_; }
  /// Of the last group of all; nothing before the first that is signed.
  [[nodiscard]] std::shared_ptr<const GroupProof> newest_proof() const { return newest_proof_; }
  [[nodiscard]] const Hash& link() const { return link_; }

 private:
  SqliteJournal(const SqliteOptions& options, const JournalRules& rules, Clock& clock,
                Entropy& entropy, std::unique_ptr<Connection> connection,
                std::optional<JournalFile> file);
  void begin_chain();
  std::expected<void, OpenFailure> adopt_receipt_key();
  std::expected<void, std::string> load();
  Result add(const PreparedEntry& entry, std::span<const PreparedEntry* const> entries);
  void insert_diary(const PreparedEntry& entry, const Contexts::Known& context);
  Result known(const PreparedEntry& entry, Position position,
               std::span<const PreparedEntry* const> entries);
  void fill_rest(ReceiptFacts& facts);
  void keep_conflict(const PreparedEntry& entry, Position position);
  void add_salts(std::size_t count);
  void seal_group();
  void sign_group(GroupProof& proof);
  std::expected<void, StoreFault> fail(const SqliteError& error, std::span<Result> results);
  void checkpoint_failed(const SqliteError& error);

  const SqliteOptions options_;
  const JournalRules& rules_;
  Clock& clock_;
  Entropy& entropy_;
  std::optional<JournalFile> file_;
  std::unique_ptr<Connection> connection_;
  ReceiptKeyTable receipt_keys_;
  std::shared_ptr<const LinkSigner> signer_;
  Contexts contexts_;
  KeyIndex keys_;
  OutboxTables outbox_;
  Statement begin_, commit_, insert_diary_, select_facts_, insert_group_, insert_event_,
      insert_conflict_, count_conflicts_, write_anchor_;

  Uuid chain_id_;
  std::optional<GroupProofs> proofs_;
  std::shared_ptr<const GroupProof> newest_proof_;
  Hash link_{};              ///< of the last group
  Hash carried_{};           ///< what it hands to the next
  std::uint64_t group_ = 0;  ///< its number
  bool group_owes_ = false;
  Position next_position_ = 1;
  std::uint64_t last_anchor_ = 0;  ///< position of the last anchor
  std::uint64_t conflicts_ = 0;    ///< kept in all
  bool disk_reserve_ = false, broken_ = false;
  std::string trouble_;

  // Of the group in progress.
  Salt leaf_salt_{};  ///< of the diary that was inserted last
  Position first_position_ = 1;
  WallTime committed_at_;
  std::vector<Hash> leaves_, event_leaves_, conflict_leaves_;
  std::vector<Salt> salts_;
  std::size_t salts_used_ = 0;
  struct New {
    std::size_t entry;
    Salt salt;
  };
  std::vector<New> stored_;  ///< the entries that are new, in position order
};

}  // namespace vesper
