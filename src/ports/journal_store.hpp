#pragma once
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/departure.hpp"
#include "base/time.hpp"
#include "model/journal.hpp"

namespace vesper {

namespace asio = boost::asio;

enum class StoreFault : std::uint8_t {
  disk_reserve,  ///< nothing stored: 507
  queue_full,    ///< nothing stored: 503
  timed_out,     ///< the deadline passed first; the entry may be stored all the same: 503
  stopping,      ///< nothing stored: 503
  departed,      ///< the client left first; nothing stored, nobody reads the answer
  stale,         ///< publish: the expected revision is not the one in force
  not_found,
  broken  ///< the store has failed and the process is about to end: 503
};

/// How busy a store is, for admission. All zero: it cannot say, or nothing waits.
struct JournalLoad {
  std::size_t entries = 0;  ///< offered, not yet in a group
  Duration group_age{};     ///< of the group that is being committed; zero: none
  Duration wait{};          ///< predicted for an offer made now, because of those before it
  Duration queue{};         ///< the same, if the group under way lasts no longer than usual
  Duration commit{};        ///< predicted besides: what one alone would take
  double rate_per_s = 0;    ///< entries committed, while there is always something to commit
};

using SharedDiary = std::shared_ptr<const StoredDiary>;

/// How long a result is waited for, and by whom.
///   Shape: a Deadline alone is one.
struct Patience {
  constexpr Patience(Deadline until = {Instant::max()}, Departure* of = nullptr)
      : deadline(until), departure(of) {}
  Deadline deadline;
  Departure* departure;  ///< of the client that waits; may be none, and outlives the await
};

/// The journal: what must survive power loss, in one order.
///   Thread: any executor; completions arrive on the awaiting coroutine's own executor.
class JournalStore {
 public:
  virtual ~JournalStore() = default;

  /// Completes once the entry, its outbox rows and its audit link are on synced storage, or the
  /// store already held its id (replay, or conflict when the content hash differs; nothing changes,
  /// but a bounded number of conflicting bodies is kept as evidence).
  ///   `entry` and what it points to must outlive the await; a timed-out commit keeps no view.
  ///   A client that leaves takes back an entry that is in no group yet; else it stays committed.
  virtual asio::awaitable<std::expected<Committed, StoreFault>> commit(const JournalEntry& entry,
                                                                       Patience patience) = 0;
  /// Any thread; wait-free.
  [[nodiscard]] virtual JournalLoad load() const { return {}; }

  /// The diary of one patient by its submission id, committed state only.
  virtual asio::awaitable<std::expected<StoredDiary, StoreFault>> find(std::string_view trial_id,
                                                                       PatientText subject_id,
                                                                       Uuid submission_id,
                                                                       Patience patience = {}) = 0;
  /// All diaries of a trial with this submission id (site and service tokens), at most 16.
  virtual asio::awaitable<std::expected<std::vector<StoredDiary>, StoreFault>> find_in_trial(
      std::string_view trial_id, Uuid submission_id, Patience patience = {}) = 0;
  virtual asio::awaitable<std::expected<StoredDiary, StoreFault>> at(Position position) = 0;
  /// The diaries at `positions`, in that order: delivery reads ahead by batches, so a store that
  /// reads on another thread pays for one hop. This default asks one by one.
  ///   Errors: as at(); not_found when one of them is absent, and then nothing is returned.
  ///   `positions` must outlive the await.
  ///   Shape: shared, because a store may still hold what it has just stored.
  virtual asio::awaitable<std::expected<std::vector<SharedDiary>, StoreFault>> at_all(
      std::span<const Position> positions) {
    std::vector<SharedDiary> diaries;
    diaries.reserve(positions.size());
    for (const Position position : positions) {
      auto diary = co_await at(position);
      if (!diary) co_return std::unexpected(diary.error());
      diaries.push_back(std::make_shared<const StoredDiary>(std::move(*diary)));
    }
    co_return diaries;
  }

  /// Stores revision `row.revision` of a trial, with an audit event in the same transaction.
  ///   Errors: stale when `row.revision` is not one more than the stored latest.
  virtual asio::awaitable<std::expected<void, StoreFault>> publish(const TrialRow& row) = 0;
  /// Every revision of every trial, oldest first.
  virtual asio::awaitable<std::expected<std::vector<TrialRow>, StoreFault>> trials(
      Patience patience = {}) = 0;

  virtual asio::awaitable<std::expected<void, StoreFault>> record(const AuditEvent& event) = 0;
};

}  // namespace vesper
