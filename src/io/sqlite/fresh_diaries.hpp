#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/sqlite/leases.hpp"
#include "io/sqlite/prepared_entry.hpp"
#include "model/outbox.hpp"

namespace vesper {

/// The diaries of the latest commits, in memory until they are settled, for destinations that keep
/// up: what was stored a moment ago need not be scanned for and read back.
///   Shape:  a destination keeps up once a scan of what it is owed has come to the end; from there
///           on it is told from here. One that asks for anything else, that has parked diaries, or
///           for which something was dropped before it was told, is behind: the tables answer it
///           until a scan comes to the end again.
///   Bounds: `bytes_max`; the oldest go first. Nothing is kept while no destination keeps up.
///   Thread: stage() to behind() the journal's; told() and find() any. One short lock.
class FreshDiaries {
 public:
  using Shared = std::shared_ptr<const StoredDiary>;
  /// A new diary, as its group stores it; not yet committed.
  struct Staged {
    const PreparedEntry& entry;
    const EntryContext& context;
    const ReceiptFacts& facts;
    WallTime committed_at;
  };
  FreshDiaries(std::size_t bytes_max, Leases& leases) : bytes_max_(bytes_max), leases_(leases) {}

  [[nodiscard]] bool wanted() const { return wanted_.load(std::memory_order_relaxed); }
  void stage(const Staged& diary);
  /// The group is committed: what is staged can be told.
  void publish(const Hash& group_hash);
  /// The commit failed, or an epoch begins: everybody is behind, positions may be given anew.
  void clear();
  /// Delivered or parked.
  void settled(std::string_view destination, std::span<const Settlement> settlements);
  /// A scan after `told` found nothing more below `next`, which a later group will use.
  void keeps_up(std::string_view destination, std::int64_t id, Position told, Position next);
  void behind(std::string_view destination);

  /// What is owed after `after`, now leased; nothing: the tables must say.
  [[nodiscard]] std::optional<std::vector<OwedEntry>> told(std::string_view destination,
                                                           Position after, std::size_t limit);
  /// All of them, or none.
  [[nodiscard]] std::vector<Shared> find(std::span<const Position> positions) const;

 private:
  static constexpr std::size_t destinations_max = 64;
  struct Kept {
    std::shared_ptr<StoredDiary> diary;
    std::uint64_t lane = 0, owed_to = 0;  ///< owed_to: a bit a destination
    WallTime committed_at;
    std::size_t bytes = 0;
  };
  struct Destination {
    std::string name;
    std::int64_t id = 0;
    bool keeping_up = false;
    Position told = 0;  ///< the `after` of its next question
    Position from = 0;  ///< it has not been told of positions from here
  };
  [[nodiscard]] Destination* find_destination(std::string_view name);
  void keep(Kept&& kept);
  void drop_first();
  void drop_settled();
  void let_go(Kept& kept);
  [[nodiscard]] std::shared_ptr<StoredDiary> room();
  void look_who_keeps_up();

  const std::size_t bytes_max_;
  Leases& leases_;
  std::atomic<bool> wanted_{false};
  // The journal thread's own. Spare diaries keep their room: most are of equal size.
  std::vector<Kept> staged_;
  std::vector<std::shared_ptr<StoredDiary>> spare_;

  mutable std::mutex mutex_;
  std::vector<Destination> destinations_;
  std::deque<Kept> kept_;  ///< by position, from `first_`; those not kept have no diary
  Position first_ = 1;
  std::size_t bytes_ = 0;
};

}  // namespace vesper
