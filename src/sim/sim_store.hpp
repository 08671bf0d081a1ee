#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "ports/journal_store.hpp"
#include "ports/outbox_store.hpp"
#include "sim/world.hpp"

namespace vesper::sim {

/// How the simulated disk behaves. What changes while the process runs is felt at once.
struct DiskFaults {
  Duration sync_min = 200us, sync_max = 3ms;
  double stall_share = 0;  ///< share of syncs that stall
  Duration stall_max = 3s;
  bool held = false;                     ///< no sync ends while this is set
  bool full = false;                     ///< the disk reserve is reached: new diaries find no room
  double pace_per_s = 0;                 ///< entries a second, beside the sync; 0: no bound
  bool acknowledge_before_sync = false;  ///< negative control: a server that lies
  bool forget_settlements = false;       ///< negative control: settled entries are owed again
  bool store_the_departed = false;       ///< negative control: what was taken back is stored
};

/// What is on the platter: survives power loss. One a world; each process opens it anew.
struct Platter {
  struct Debt {
    DeliveryState state = DeliveryState::owed;
    std::uint32_t attempts = 0;
    std::string reason;
    std::uint64_t leased_in_epoch = 0;
  };
  std::vector<StoredDiary> diaries;  ///< position - 1
  std::map<std::tuple<std::string, std::string, Uuid>, Position> by_key;
  std::map<std::string, std::map<Position, Debt>> outbox;
  std::map<std::string, bool> paused;
  std::vector<TrialRow> trials;
  std::vector<AuditEvent> audit;
  std::uint64_t epoch = 0, groups = 0;
};

/// JournalStore and OutboxStore of one simulated process: group commit over a Platter.
///   Shape: work is applied to the platter only when its sync ends, so whatever is in flight when
///          the process is destroyed is lost, but for the group being synced, which the world's
///          random decides as a whole.
///   Thread: one.
class SimStore final : public JournalStore, public OutboxStore {
 public:
  SimStore(World& world, Platter& platter, const DiskFaults& faults);
  /// The process dies here; the io_context that awaits must still live.
  ~SimStore() override;
  static constexpr std::size_t waiting_max = 4096;

  [[nodiscard]] JournalLoad load() const override;
  asio::awaitable<std::expected<Committed, StoreFault>> commit(const JournalEntry& entry,
                                                               Patience patience = {}) override;
  asio::awaitable<std::expected<StoredDiary, StoreFault>> find(std::string_view trial_id,
                                                               PatientText subject_id,
                                                               Uuid submission_id,
                                                               Patience patience = {}) override;
  asio::awaitable<std::expected<std::vector<StoredDiary>, StoreFault>> find_in_trial(
      std::string_view trial_id, Uuid submission_id, Patience patience = {}) override;
  asio::awaitable<std::expected<StoredDiary, StoreFault>> at(Position position) override;
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
  using CommitResult = std::expected<Committed, StoreFault>;
  /// One piece of work of a commit group: applied to the platter when the sync has ended.
  struct Work {
    std::function<void()> apply;
    std::move_only_function<void()> done;
    std::uint64_t waiter = 0;  ///< of a commit; 0: a chore, which nobody gives up
  };
  void enqueue(Work work);
  /// Answers a waiting commit once; later answers to it find nobody.
  void answer(std::uint64_t waiter, CommitResult result);
  /// The same, and what is in no group yet is dropped. `keeps`: only if it is dropped.
  void give_up(std::uint64_t waiter, StoreFault why, bool keeps);
  void start_group();
  void end_group();
  CommitResult store(const StoredDiary& diary, const std::vector<std::string>& destinations);
  [[nodiscard]] Duration group_length(std::size_t entries) const;
  [[nodiscard]] OwedEntry owed_entry(Position position, const Platter::Debt& debt) const;
  asio::awaitable<std::expected<OwedEntry, StoreFault>> judge_parked(std::string_view destination,
                                                                     Uuid delivery_id,
                                                                     const AuditEvent& event,
                                                                     DeliveryState next);
  /// A disk that is held answers no reader either: false when the deadline comes first.
  asio::awaitable<bool> readable(Patience patience);
  void look_for_reader(std::uint64_t reader, Instant until);
  asio::awaitable<void> durably(std::function<void()> apply);

  World* world_;
  Platter* platter_;
  const DiskFaults* faults_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::deque<Work> queue_;
  std::vector<Work> group_;
  std::map<std::uint64_t, std::move_only_function<void(CommitResult)>> waiters_;
  std::map<std::uint64_t, std::move_only_function<void(bool)>> readers_;
  std::uint64_t next_waiter_ = 0;
  std::function<void()> owed_ = [] {};
  bool syncing_ = false;
  Instant group_began_{};
  Duration sync_usual_ = 1ms;  ///< smoothed
  std::uint64_t epoch_ = 0;
};

}  // namespace vesper::sim
