#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "model/outbox.hpp"

namespace vesper::queue {

/// Why an entry waits to be tried again.
enum class Later : std::uint8_t {
  own,     ///< for reasons of its own, or until a time that was named: nothing shortens the wait
  budget,  ///< it failed at a working destination: its retry is given out by next_retry()
  outage   ///< the destination was at fault: the wait ends when it is well again
};

/// Which owed diary goes next to one destination.
///
///   A lane is one patient. In a lane entries go one at a time in journal order; lanes go side by
///   side, least position first. A lane is
///     ready:   it has entries and none in flight             -> next() takes its first
///     busy:    its first entry is in flight or being stored  -> done(), park() or retry()
///     waiting: its first entry is owed again, later          -> ready when its time comes, or
///              sooner by hasten() and recovered()
///     blocked: its first entry is parked                     -> release() after redrive or skip
///
///   Only a window of the owed entries is held. It is filled by scanning the store in position
///   order. What the window cannot take (a blocked lane's entries, more than lane_max
///   of one lane) is passed over and noted by its position; once its lane can take it, the scan
///   goes back there. An entry that is held already is recognised and not taken twice. Bounds:
///   window_max entries; lane_max of one lane; blocked_max blocked lanes, beyond which nothing is
///   given out (a destination that refuses everything needs a person). Thread: one owner; O(log
///   window) or better, never blocks.
class Lanes {
 public:
  struct Limits {
    std::size_t window_max = 4096;
    std::size_t lane_max = 64;
    std::size_t blocked_max = 65'536;
  };
  explicit Lanes(Limits limits) : limits_(limits) {}

  /// A question for the store: entries behind `after`, at most `limit`, in position order.
  struct Ask {
    Position after = 0;
    std::size_t limit = 0;
    std::uint64_t scan = 0, news = 0;  ///< what was known when it was asked
  };
  /// What to ask now; nothing while the window is full or the end has been seen.
  [[nodiscard]] std::optional<Ask> ask() const;
  /// The store's answer; shorter than the limit says that there are no more for now. An answer to
  /// a question of an earlier scan is ignored.
  void fill(std::span<const OwedEntry> page, const Ask& asked);
  /// There may be new entries at the end (a commit).
  void more() {
    ++news_;
    caught_up_ = false;
  }
  /// Start over at `position` (something older became owed).
  void scan_from(Position position);

  /// Takes the ready entry with the least position; its lane is busy until told how it ended.
  [[nodiscard]] std::optional<OwedEntry> next(Instant now);
  /// The same among those that wait for the retry budget; next() leaves them alone.
  [[nodiscard]] std::optional<OwedEntry> next_retry(Instant now);
  /// The earliest instant at which a waiting lane becomes ready.
  [[nodiscard]] std::optional<Instant> wakes_at() const;

  /// The busy lane's entry is delivered, durably.
  void done(std::uint64_t lane);
  /// The busy lane's entry is owed again, not before `when`.
  void retry(std::uint64_t lane, Instant when, std::uint32_t attempts, Later why = Later::own);
  /// Something must be tried: when nothing is ready, ends the shortest wait that may be ended.
  void hasten();
  /// Whether next() would give something out, after hasten() if need be.
  [[nodiscard]] bool can_hasten() const {
    return blocked_.size() < limits_.blocked_max &&
           (!ready_.empty() || !retries_.empty() || waiting_.size() > own_);
  }
  /// The destination was at fault: what waits for the budget need not.
  void forgive();
  /// The destination is well again: all waits end, but those for reasons of their own.
  void recovered();
  /// The busy lane's entry is parked: the lane is blocked.
  void park(std::uint64_t lane);
  /// A lane known to be blocked by a parked entry at `position` (at start).
  void block(std::uint64_t lane, Position position);
  /// Redriven or skipped: the lane goes on from its parked entry, which the scan finds again if it
  /// is still owed.
  void release(std::uint64_t lane, Position position);

  [[nodiscard]] std::size_t held() const { return held_; }
  [[nodiscard]] std::size_t ready() const { return ready_.size(); }
  [[nodiscard]] std::size_t retries() const { return retries_.size(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::size_t blocked() const { return blocked_.size(); }
  [[nodiscard]] Position after() const { return cursor_; }
  [[nodiscard]] bool caught_up() const { return caught_up_; }

 private:
  enum class State : std::uint8_t { idle, ready, busy, waiting };
  struct Lane {
    std::vector<OwedEntry> entries;  // by position, at most lane_max
    State state = State::idle;
    Later why = Later::own;
    Instant when{};
    Position passed_over = 0;   // the first entry the window did not take; 0: none
    std::uint64_t in_scan = 0;  // the scan that passed it over
  };
  using Map = std::unordered_map<std::uint64_t, Lane>;

  void offer(const OwedEntry& entry);
  void make_ready(Map::iterator at);
  void wake_due(Instant now);
  void stop_waiting(Map::iterator at);
  void settle_down(Map::iterator at);
  void drop_first(Map::iterator at);
  void go_back_if_due();

  Limits limits_;
  Map lanes_;
  std::unordered_map<std::uint64_t, Position> blocked_;
  std::set<std::pair<Position, std::uint64_t>> ready_;
  std::set<std::pair<Position, std::uint64_t>> retries_;  // ready, but for the retry budget
  std::set<std::pair<Instant, std::uint64_t>> waiting_;
  std::size_t own_ = 0;  // of the waiting ones: those that nothing hastens
  std::size_t held_ = 0;
  Position cursor_ = 0, scan_start_ = 0;
  std::uint64_t scan_ = 1, news_ = 0;
  std::size_t scanned_ = 0;          // entries seen in this scan
  std::optional<Position> go_back_;  // where a lane that has room again was passed over
  bool caught_up_ = false;
};

}  // namespace vesper::queue
