#pragma once
#include <algorithm>

#include "base/time.hpp"

namespace vesper::admission {

/// How long may something wait before it is refused instead?
///   Shape:  normal -a whole interval in which even the shortest wait was standing-> overloaded
///           -`hold` without another such interval-> normal. A burst is no overload: its first
///           request finds nobody before it.
///   Bounds: limit() is normal_max or overloaded_max.
///   Thread: one owner; never allocates.
///   Source: CoDel's minimum over an interval (Nichols and Jacobson, 2012), on two levels.
class QueueDelay {
 public:
  struct Rules {
    Duration normal_max = 80ms;
    Duration overloaded_max = 50ms;
    Duration standing = 5ms;
    Duration interval = 100ms;
    Duration hold = 1s;
    friend bool operator==(const Rules&, const Rules&) = default;
  };

  explicit QueueDelay(const Rules& rules) : rules_(rules) {}
  void set(const Rules& rules) { rules_ = rules; }

  /// One more thing left the queue, or looked at it, after `delay`.
  void observe(Duration delay, Instant now) {
    roll(now);
    least_ = std::min(least_, delay);
  }
  [[nodiscard]] bool overloaded(Instant now) {
    roll(now);
    return now < overloaded_until_;
  }
  [[nodiscard]] Duration limit(Instant now) {
    return overloaded(now) ? rules_.overloaded_max : rules_.normal_max;
  }

 private:
  static constexpr Duration nothing_seen = Duration::max();

  void roll(Instant now) {
    if (now - began_ < rules_.interval) return;
    if (least_ != nothing_seen && least_ > rules_.standing) overloaded_until_ = now + rules_.hold;
    least_ = nothing_seen;
    began_ = now;
  }

  Rules rules_;
  Duration least_ = nothing_seen;
  Instant began_{}, overloaded_until_{};
};

}  // namespace vesper::admission
