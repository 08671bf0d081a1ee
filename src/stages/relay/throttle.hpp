#pragma once
#include <cstdint>

#include "base/time.hpp"
#include "stages/relay/tally.hpp"

namespace vesper::relay {

/// Thins out the tries to a destination that answers fewer than one in `k`.
///   Shape:  a try that would be turned away waits instead: start() draws, once, how many turns the
///           next try waits, so may_start() is a comparison. The outbox cannot drop.
///   Bounds: next() is never more than `wait_max` after the last start, so at least
///           1 / wait_max tries a second go on. Below `calm` tries nothing is thinned out.
///   Source: client-side throttling, P = (requests - k * accepts) / (requests + 1); Site
///           Reliability Engineering, chapter 21.
///   Why:    the book's window keeps a healed destination waiting until it has turned (minutes,
///           where it is long). Here an answer lets the next try go at once when it is alone or
///           the second in a row, and `streak` answers in a row clear the window.
class Throttle {
 public:
  struct Rule {
    double k = 2;
    Duration span = 3s, wait_max = 500ms, turn_max = 20ms;
    std::uint32_t calm = 16, streak = 5;
  };
  explicit Throttle(const Rule& rule) : rule_(rule), tally_(rule.span) {}

  [[nodiscard]] bool may_start(Instant now) const { return now >= next_; }
  /// When the next try may start.
  [[nodiscard]] Instant next() const { return next_; }
  /// The share of turns at which a try waits, as of the last start.
  [[nodiscard]] double probability() const { return probability_; }

  /// A try starts. `unit` is uniform in [0, 1).
  void start(Instant now, double unit);
  /// It was answered; `others` are in flight beside it.
  void answered(Instant now, std::uint32_t others);
  void fault() { answers_in_row_ = 0; }
  /// Forgets what was: another machine has found out that the destination works.
  void clear();

 private:
  enum : std::size_t { requests, accepts };
  Rule rule_;
  Tally<2> tally_;
  double probability_ = 0;
  std::uint32_t answers_in_row_ = 0;
  Instant next_{};
};

}  // namespace vesper::relay
