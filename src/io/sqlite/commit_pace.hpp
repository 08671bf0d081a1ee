#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"
#include "ports/journal_store.hpp"

namespace vesper {

/// Learns what a commit group costs, and predicts how long a new entry waits for its own.
///   Shape:  duration of a group = a + b * entries, fitted to the latest groups. A fit that has
///           seen only groups of one size n takes (n - 1) / n of it for `b`.
///   Bounds: 0 <= b <= duration / entries; nothing is predicted before the first group.
///   Thread: begin(), end() the journal's; predict() any, wait-free, perhaps a group late.
///   Source: least squares with exponential forgetting.
class CommitPace {
 public:
  void begin(std::size_t entries, Instant now) {
    group_entries_.store(entries, std::memory_order_relaxed);
    began_ns_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  /// `until` is when the next group could begin.
  void end(std::size_t entries, Instant began, Instant until);

  /// `queued`: entries offered and not in the group under way. `group_max`: entries of a group.
  [[nodiscard]] JournalLoad predict(std::size_t queued, std::size_t group_max, Instant now) const;

 private:
  static constexpr double keep = 0.97;  ///< a group's weight falls to a half in 23 others

  double weight_ = 0, n_ = 0, d_ = 0, nn_ = 0, nd_ = 0;  ///< weighted sums; seconds
  std::atomic<double> fixed_s_{0}, each_s_{0};
  std::atomic<std::int64_t> began_ns_{0};  ///< of the group under way; 0: none
  std::atomic<std::size_t> group_entries_{0};
};

}  // namespace vesper
