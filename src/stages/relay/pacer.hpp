#pragma once
#include <algorithm>

#include "base/time.hpp"

namespace vesper::relay {

/// Limits starts to a rate, with bursts.
///   Bounds: in any span of t seconds at most rate * t + burst starts.
///   Source: generic cell rate algorithm (ITU-T I.371): one instant instead of a bucket to refill.
class Pacer {
 public:
  /// `rate_per_s` 0: no limit. `burst` below 1 counts as 1.
  constexpr Pacer(double rate_per_s, double burst)
      : interval_(rate_per_s > 0 ? Duration{static_cast<Duration::rep>(1e9 / rate_per_s)}
                                 : Duration::zero()),
        credit_(Duration{static_cast<Duration::rep>(static_cast<double>(interval_.count()) *
                                                    (std::max(burst, 1.0) - 1.0))}) {}

  /// The earliest instant, not before `now`, at which one more may start.
  [[nodiscard]] constexpr Instant next(Instant now) const {
    return std::max(now, theoretical_ - credit_);
  }
  [[nodiscard]] constexpr bool may_start(Instant now) const { return next(now) <= now; }
  constexpr void start(Instant now) { theoretical_ = std::max(theoretical_, now) + interval_; }

 private:
  Duration interval_, credit_;
  Instant theoretical_{};
};

}  // namespace vesper::relay
