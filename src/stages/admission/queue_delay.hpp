#pragma once
#include <algorithm>
#include <cstdint>

#include "base/time.hpp"

namespace vesper::admission {

/// How long may something wait before it is refused instead?
///   Shape:  normal -even the shortest wait is standing-> the limit falls, within an interval, to
///           overloaded, which holds for `hold` after the last such interval. A burst is no
///           overload: it is over before the limit has fallen.
///   Bounds: overloaded_max <= limit() <= normal_max.
///   Thread: one owner; never allocates.
///   Source: CoDel's minimum over an interval (Nichols and Jacobson, 2012), on two levels.
class QueueDelay {
 public:
  struct Rules {
    Duration normal_max = 100ms;
    Duration overloaded_max = 20ms;
    Duration standing = 10ms;
    Duration interval = 80ms;
    Duration hold = 1s;
    friend bool operator==(const Rules&, const Rules&) = default;
  };

  explicit QueueDelay(const Rules& rules) : rules_(rules) {}
  void set(const Rules& rules) { rules_ = rules; }

  /// One more thing left the queue, or looked at it, after `delay`.
  void observe(Duration delay, Instant now) {
    const bool first = now - seen_ > rules_.interval;  // nothing is known of the time before
    seen_ = now;
    const bool standing = delay > rules_.standing;
    if (!standing || first || !standing_) began_ = now;
    standing_ = standing;
    if (standing && now - began_ >= rules_.interval) overloaded_until_ = now + rules_.hold;
  }
  [[nodiscard]] bool overloaded(Instant now) const { return now < overloaded_until_; }
  [[nodiscard]] Duration limit(Instant now) const {
    if (overloaded(now)) return rules_.overloaded_max;
    if (!standing_ || now - seen_ > rules_.interval) return rules_.normal_max;
    const Duration fall = rules_.normal_max - rules_.overloaded_max;
    const auto part =
        static_cast<double>((now - began_).count()) / static_cast<double>(rules_.interval.count());
    return rules_.normal_max - Duration{static_cast<std::int64_t>(
                                   static_cast<double>(fall.count()) * std::min(part, 1.0))};
  }

 private:
  Rules rules_;
  bool standing_ = false;  ///< at the last look, and since began_
  Instant began_{}, seen_{}, overloaded_until_{};
};

}  // namespace vesper::admission
