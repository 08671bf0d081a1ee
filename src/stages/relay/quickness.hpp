#pragma once
#include <algorithm>
#include <array>
#include <cstdint>

#include "base/time.hpp"

namespace vesper::relay {

/// What an answer takes while hardly anything is in flight, and from when on one is slow.
///   Shape: rises only by answers that came while next to nothing was in flight (the quickest of
///          the last four); falls by these and by the mean of any stretch of answers.
///   Why:   a least latency over time creeps up with the queue it should show (Envoy, Vegas), and
///          one that never rises strangles a destination that has merely become slower. Here too
///          many in flight cannot raise it; and who is held to next to nothing in flight measures.
class Quickness {
 public:
  [[nodiscard]] constexpr Duration typical() const { return typical_; }
  /// `tolerance` times the typical, at least `least`.
  [[nodiscard]] constexpr Duration slow_from(Duration least, int tolerance) const {
    return std::max(least, typical_ * tolerance);
  }
  /// An answer that came while next to nothing was in flight.
  constexpr void alone(Duration took) {
    recent_[count_++ % recent_.size()] = took;
    if (count_ >= recent_.size())
      typical_ = *std::ranges::min_element(recent_);
    else if (typical_ == Duration::zero() || took < typical_)
      typical_ = took;
  }
  /// The mean of some answers, whatever was in flight.
  constexpr void among(Duration mean) {
    if (typical_ == Duration::zero() || mean < typical_) typical_ = mean;
  }

 private:
  std::array<Duration, 4> recent_{};
  std::uint64_t count_ = 0;
  Duration typical_{};
};

}  // namespace vesper::relay
