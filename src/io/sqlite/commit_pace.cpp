#include "io/sqlite/commit_pace.hpp"

#include <algorithm>

namespace vesper {
namespace {

constexpr double stalled_s = 0.5;

double seconds(Duration length) {
  return std::chrono::duration<double>(length).count();
}
Duration length_of(double seconds) {
  return Duration{static_cast<std::int64_t>(seconds * 1e9)};
}

}  // namespace

void CommitPace::end(std::size_t entries, Instant began, Instant until) {
  began_ns_.store(0, std::memory_order_relaxed);
  if (entries == 0) return;
  const auto n = static_cast<double>(entries);
  const double d = seconds(until - began);
  weight_ = weight_ * keep + 1;
  n_ = n_ * keep + n;
  d_ = d_ * keep + d;
  nn_ = nn_ * keep + n * n;
  nd_ = nd_ * keep + n * d;
  const double spread = weight_ * nn_ - n_ * n_;
  const double mean = d_ / n_;
  const double size = n_ / weight_;
  // Sizes that hardly differ say nothing about the slope.
  const bool sloped = spread > 0.05 * n_ * n_;
  // Nor does a lone entry's group: nearly all of it is the sync, which a burst shares.
  const double each =
      sloped ? std::clamp((weight_ * nd_ - n_ * d_) / spread, 0.0, mean) : mean * (1 - 1 / size);
  each_s_.store(each, std::memory_order_relaxed);
  fixed_s_.store(std::max(0.0, (d_ - each * n_) / weight_), std::memory_order_relaxed);
}

JournalLoad CommitPace::predict(std::size_t queued, std::size_t group_max, Instant now) const {
  const double fixed = fixed_s_.load(std::memory_order_relaxed);
  const double each = each_s_.load(std::memory_order_relaxed);
  const auto group = [&](std::size_t entries) {
    return fixed + each * static_cast<double>(entries);
  };
  JournalLoad load;
  load.entries = queued;
  const std::int64_t began = began_ns_.load(std::memory_order_relaxed);
  double queue = 0, overdue = 0;
  if (began != 0) {
    const double elapsed = seconds(now.time_since_epoch() - Duration{began});
    load.group_age = length_of(std::max(0.0, elapsed));
    const double expected = group(group_entries_.load(std::memory_order_relaxed));
    // A group that is long overdue is taken to last as long again.
    const bool stalled = elapsed > std::max(stalled_s, 4 * expected);
    overdue = stalled ? elapsed : 0;
    queue += stalled ? 0 : std::max(0.0, expected - elapsed);
  }
  const std::size_t whole_groups = queued / group_max;
  queue += static_cast<double>(whole_groups) * group(group_max);
  queue += each * static_cast<double>(queued % group_max);
  load.queue = length_of(queue);
  load.wait = length_of(queue + overdue);
  load.commit = length_of(group(1));
  const double full = group(group_max);
  load.rate_per_s = full > 0 ? static_cast<double>(group_max) / full : 0;
  return load;
}

}  // namespace vesper
