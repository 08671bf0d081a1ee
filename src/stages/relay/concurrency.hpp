#pragma once
#include <cstdint>

#include "base/time.hpp"
#include "stages/relay/quickness.hpp"

namespace vesper::relay {

/// How many tries may be in flight to one destination.
///
///   A round is about one latency long and holds the tries begun since the last decrease.
///   overloaded (more than `overload_share` of the round) or slow (half of it): limit halved
///   all else, and the limit was reached:  doubled below the threshold or after `clean_for` without
///                                         a decrease; one more, or a sixteenth, above it
///
///   Bounds: least <= limit() <= most, always. An idle destination does not grow it: rounds in
///           which the limit was not reached leave it as it is.
///   Source: additive increase, multiplicative decrease (Chiu and Jain, 1989), slow start and its
///           threshold (RFC 5681). One lost try in a hundred must not matter, hence shares.
class Concurrency {
 public:
  struct Rule {
    std::uint32_t least = 1, most = 64;
    std::uint32_t first = 4;      ///< after a time without service
    Duration slow_least = 250ms;  ///< quicker than this is never slow
    int tolerance = 4;            ///< slow: this many times the typical
    Duration ponderous = 2500ms;  ///< rounds slower than this grow by one at a time
    double overload_share = 0.05, decrease = 0.5;
    Duration clean_for = 1s;
  };
  explicit Concurrency(const Rule& rule);

  [[nodiscard]] std::uint32_t limit() const { return limit_; }
  [[nodiscard]] const Quickness& quickness() const { return quickness_; }

  /// A try starts; `in_flight` counts it.
  void started(std::uint32_t in_flight) { reached_ |= in_flight >= limit_; }
  /// It was answered. `alone`: next to nothing was in flight when it started.
  void answered(Instant now, Instant began, bool alone);
  /// A probe was answered after `took`: next to nothing is in flight then.
  void probed(Duration took) { quickness_.alone(took); }
  /// An answer came so much quicker than is typical that what is in flight says nothing any more.
  void recovered(Instant now, Duration took);
  /// It failed as tries of an overloaded destination do: 429, 503, time-out.
  void overloaded(Instant now, Instant began);
  /// After a time without service: begins anew at `first`, or at `least`; grows quickly to where it
  /// was, or to half of it when the destination had been `congested`.
  void restart(Instant now, std::uint32_t from, bool congested);

 private:
  void close_if_complete(Instant now);
  void grow(Instant now, Duration mean);
  void shrink(Instant now);
  void begin_round(Instant now);

  Rule rule_;
  Quickness quickness_;
  std::uint32_t limit_, threshold_;
  std::uint32_t count_ = 0, slow_ = 0, overloaded_ = 0;
  Duration sum_{}, round_{10ms};
  Instant began_{}, decreased_{};
  bool reached_ = false;
};

}  // namespace vesper::relay
