#pragma once
#include <atomic>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "io/sqlite/commit_pace.hpp"
#include "io/sqlite/commit_queue.hpp"
#include "io/sqlite/read_threads.hpp"
#include "io/sqlite/sqlite_journal.hpp"
#include "ports/outbox_store.hpp"
#include "ports/signed_chain.hpp"
#include "ports/telemetry.hpp"
#include "tasks/task_thread.hpp"

namespace vesper {

/// What readyz asks of the journal.
struct JournalHealth {
  std::size_t queued = 0;     ///< entries waiting for a group
  Duration stalled{};         ///< how long the group in progress has been going on; 0: none is
  bool disk_reserve = false;  ///< new diaries get 507
  bool broken = false;        ///< the process is about to end
};

/// The embedded journal: SQLite in this process, one thread that commits, some that read, one that
/// watches deadlines.
///   Shape:  open -> commit, find, lease ... -> stop. What is queued at stop() is still committed.
///   Errors: `on_fatal` is called once, on the journal's thread, when an I/O error broke it: every
///           waiter has got `broken`; the process must end and recover from disk.
///   Thread: any executor; completions arrive on the awaiting coroutine's own. stop() before the
///           io_contexts that await are destroyed.
class SqliteStore final : public JournalStore, public OutboxStore, public SignedChain {
 public:
  using Fatal = std::move_only_function<void(std::string_view)>;

  /// `options`, `rules`, clock, entropy and telemetry outlive the store.
  static std::expected<std::unique_ptr<SqliteStore>, OpenFailure> open(
      const SqliteOptions& options, const JournalRules& rules, Clock& clock, Entropy& entropy,
      Telemetry& telemetry, Fatal on_fatal, const TaskScope& scope = TaskScope{"journal"});
  ~SqliteStore() override;

  /// Refuses what is new, commits what is queued, indexes, empties the log. Blocks; idempotent.
  void stop();
  [[nodiscard]] JournalHealth health() const;
  /// By name: entries, bytes and reads that wait. Any thread.
  [[nodiscard]] std::vector<std::pair<std::string, QueueFigures>> queues() const;

  [[nodiscard]] std::optional<SignedLink> newest_link() const override;
  [[nodiscard]] Uuid chain_id() const { return journal_->chain_id(); }
  /// Oldest first; they change only when a journal is opened.
  [[nodiscard]] std::vector<ReceiptKeyFacts> receipt_keys() const;

  asio::awaitable<std::expected<Committed, StoreFault>> commit(const JournalEntry& entry,
                                                               Patience patience = {}) override;
  [[nodiscard]] JournalLoad load() const override;
  asio::awaitable<std::expected<StoredDiary, StoreFault>> find(std::string_view trial_id,
                                                               PatientText subject_id,
                                                               Uuid submission_id,
                                                               Patience patience = {}) override;
  asio::awaitable<std::expected<std::vector<StoredDiary>, StoreFault>> find_in_trial(
      std::string_view trial_id, Uuid submission_id, Patience patience = {}) override;
  asio::awaitable<std::expected<StoredDiary, StoreFault>> at(Position position) override;
  asio::awaitable<std::expected<std::vector<SharedDiary>, StoreFault>> at_all(
      std::span<const Position> positions) override;
  asio::awaitable<std::expected<void, StoreFault>> publish(const TrialRow& row) override;
  asio::awaitable<std::expected<std::vector<TrialRow>, StoreFault>> trials(
      Patience patience = {}) override;
  asio::awaitable<std::expected<void, StoreFault>> record(const AuditEvent& event) override;

  void watch(std::function<void()> owed) override { owed_ = std::move(owed); }
  asio::awaitable<std::expected<std::uint64_t, StoreFault>> begin_epoch() override;
  asio::awaitable<std::expected<std::vector<OwedEntry>, StoreFault>> lease(
      std::string_view destination, Position after, std::size_t limit) override;
  asio::awaitable<std::expected<void, StoreFault>> settle(
      std::string_view destination, std::span<const Settlement> settlements) override;
  asio::awaitable<std::expected<std::vector<OutboxCounts>, StoreFault>> counts(
      Patience patience = {}) override;
  asio::awaitable<std::expected<std::vector<Settlement>, StoreFault>> parked(
      std::string_view destination, Position after, std::size_t limit,
      Patience patience = {}) override;
  asio::awaitable<std::expected<OwedEntry, StoreFault>> redrive(std::string_view destination,
                                                                Uuid delivery_id,
                                                                const AuditEvent& event) override;
  asio::awaitable<std::expected<OwedEntry, StoreFault>> skip(std::string_view destination,
                                                             Uuid delivery_id,
                                                             const AuditEvent& event) override;
  asio::awaitable<std::expected<void, StoreFault>> pause(std::string_view destination, bool paused,
                                                         const AuditEvent& event) override;

 private:
  /// Work inside a group, and how its caller learns what the commit came to.
  struct Chore {
    SqliteJournal::Task apply;
    std::move_only_function<void(std::expected<void, StoreFault>)> done;
  };

  SqliteStore(const SqliteOptions& options, const JournalRules& rules, Clock& clock,
              Telemetry& telemetry, Fatal on_fatal, std::unique_ptr<SqliteJournal> journal,
              std::vector<std::unique_ptr<JournalReader>> readers, const TaskScope& scope);
  bool offer(Chore& chore);
  template <class T>
  asio::awaitable<std::expected<T, StoreFault>> in_group(
      std::move_only_function<std::expected<T, StoreFault>(SqliteJournal&)> work);
  template <class T>
  asio::awaitable<std::expected<T, StoreFault>> read(
      std::move_only_function<std::expected<T, StoreFault>(JournalReader&)> work,
      Patience patience = {});

  void refuse_late_comers();
  void run_journal(TaskRecord* task);
  void run_group();
  void wait_for_company();
  void choose_entries(Instant now);
  void keep_pace(Instant began);
  void look_at_disk(Instant now);
  void report_group(Instant began);
  void show_link();
  void break_down();
  void run_sweep(const std::stop_token& stopping, TaskRecord* task);

  const SqliteOptions options_;
  const JournalRules& rules_;
  Clock& clock_;
  Telemetry& telemetry_;
  Fatal on_fatal_;
  const TaskScope scope_;  ///< its threads write in what it owns
  std::unique_ptr<SqliteJournal> journal_;
  std::shared_ptr<CommitQueue> queue_;
  CommitPace pace_;
  ReadThreads readers_;
  FreshDiaries& fresh_;

  std::function<void()> owed_ = [] {};
  std::mutex chores_mutex_;
  std::vector<Chore> chores_offered_;
  std::atomic<bool> has_chores_{false}, stopping_{false}, closed_{false}, broken_{false},
      reserve_{false};
  std::atomic<std::int64_t> group_began_ns_{0}, waited_ns_{0};

  mutable std::mutex link_mutex_;
  std::shared_ptr<const GroupProof> newest_proof_;
  Hash newest_link_{};

  // The journal thread's own.
  std::vector<CommitQueue::Slot*> waiting_, group_;
  std::size_t waiting_at_ = 0;
  std::vector<const PreparedEntry*> entries_;
  std::vector<SqliteJournal::Result> results_;
  std::vector<Chore> chores_;
  std::vector<SqliteJournal::Task> tasks_;
  Instant disk_seen_{}, paced_until_{};
  bool idle_done_ = false, busy_ = false;

  std::mutex stop_mutex_;
  TaskThread sweep_thread_, journal_thread_;
};

}  // namespace vesper
