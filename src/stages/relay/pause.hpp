#pragma once
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace vesper::relay {

/// Where a destination's gate stands.
enum class Place : std::uint8_t { open, shut, probing };

/// Keeps a destination that is itself at fault from being tried by all its lanes at once.
///
///   open --`streak` faults in a row--> shut --hold passes--> probing --answer--> open
///     \--------- Retry-After ---------->  ^------- fault ------/
///
///   open:    any number may start.   shut: none starts before until().
///   probing: one at a time.
///   Why:  lanes are many (patients); only a pause of the whole destination bounds the load on it
///   and the writes of failed tries. Ratios, slow calls and ramps belong to the breaker, which
///   takes this place.
class Pause {
 public:
  explicit constexpr Pause(std::uint32_t streak = 8) : streak_(streak) {}

  [[nodiscard]] constexpr Place place(Instant now) const {
    if (faults_ < streak_ && now >= until_) return Place::open;
    return now < until_ ? Place::shut : Place::probing;
  }
  [[nodiscard]] constexpr bool may_start(Instant now, std::uint32_t in_flight) const {
    const Place p = place(now);
    return p == Place::open || (p == Place::probing && in_flight == 0);
  }
  [[nodiscard]] constexpr Instant until() const { return until_; }
  /// How often it has been shut since the last answer; input of the backoff.
  [[nodiscard]] constexpr std::uint32_t times_shut() const { return times_shut_; }

  /// An answer that is not the destination's fault.
  constexpr void answered() {
    faults_ = 0;
    times_shut_ = 0;
  }
  /// Returns true when the caller must hold(): the streak is complete, or the probe has failed. Of
  /// several tries in flight when it shut, only the first asks.
  [[nodiscard]] constexpr bool fault(Instant now) {
    if (faults_ < streak_) ++faults_;
    return faults_ >= streak_ && now >= until_;
  }
  constexpr void hold(Instant until) {
    if (until > until_) until_ = until;
    ++times_shut_;
  }
  /// The destination named the time itself.
  constexpr void retry_after(Instant until) {
    if (until > until_) until_ = until;
  }

 private:
  std::uint32_t streak_, faults_ = 0, times_shut_ = 0;
  Instant until_{};
};

}  // namespace vesper::relay
