#pragma once
#include <algorithm>

#include "base/time.hpp"

namespace vesper::relay {

/// Keeps the tries of diaries that have failed at a working destination below a share of the first
/// tries, so that a destination that fails under load is not given more of it.
///   Bounds: in any span of t seconds at most share * (first tries) + floor_per_s * t + burst
///           retries. floor_per_s > 0: nothing waits for ever, for there is no limit of tries.
///   Source: retry budgets of Finagle and of the SRE book, chapter 21 (10 %).
class RetryBudget {
 public:
  struct Rule {
    double share = 0.1, floor_per_s = 10, burst = 10;
  };
  explicit constexpr RetryBudget(const Rule& rule) : rule_(rule), left_(rule.burst) {}

  constexpr void first_try() { left_ = std::min(left_ + rule_.share, rule_.burst); }
  [[nodiscard]] constexpr bool may_retry(Instant now) {
    refill(now);
    return left_ >= 1;
  }
  constexpr void retry(Instant now) {
    refill(now);
    left_ -= 1;
  }
  /// When may_retry() is true again even without a first try.
  [[nodiscard]] constexpr Instant next(Instant now) {
    refill(now);
    if (left_ >= 1) return now;
    return now + Duration{static_cast<Duration::rep>((1 - left_) / rule_.floor_per_s * 1e9) + 1};
  }
  /// Retries that may go at once.
  [[nodiscard]] constexpr double left() const { return std::max(left_, 0.0); }

 private:
  constexpr void refill(Instant now) {
    if (now <= filled_) return;
    const double passed = std::chrono::duration<double>(now - filled_).count();
    left_ = std::min(left_ + passed * rule_.floor_per_s, rule_.burst);
    filled_ = now;
  }
  Rule rule_;
  double left_;
  Instant filled_{};
};

}  // namespace vesper::relay
