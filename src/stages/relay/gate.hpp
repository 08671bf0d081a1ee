#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "stages/relay/breaker.hpp"
#include "stages/relay/concurrency.hpp"
#include "stages/relay/retry_budget.hpp"
#include "stages/relay/throttle.hpp"

namespace vesper::relay {

/// A try as the gate knows it; kept by its owner until it ends.
struct Try {
  Instant began{};
  std::uint32_t epoch = 0, slot = 0;
  bool alone = false, probe = false;
};

/// How a try ended, as far as the destination is concerned.
enum class TryEnd : std::uint8_t {
  delivered,   ///< taken; its latency counts
  answered,    ///< an answer about this diary alone (400, 409, 422 ...): the destination works
  overloaded,  ///< 429, 503, time-out
  fault,       ///< everything else the destination is blamed for
  nothing      ///< nothing was sent, or we cut it ourselves
};

/// The protection of one destination: whether one more try may start now, and what each end means.
///   Shape: breaker, throttle, concurrency limit and retry budget side by side; the flow asks
///          may_start(), says start() and end(), and calls look() when look_at() has come.
///   Bounds: never more than `most` in flight; while the breaker is not closed at most three
///           probes in the first second and then about one a second. No allocation after the
///           constructor.
///   Thread: one owner.
class Gate {
 public:
  struct Rule {
    Breaker::Rule breaker{};
    Throttle::Rule throttle{};
    Concurrency::Rule concurrency{};
    RetryBudget::Rule budget{};
    Duration slow_least = 2500ms;  ///< the breaker calls no quicker answer slow
    Duration stalled_least = 1s;   ///< so long nothing comes back before that is a stall; and so
                                   ///< long nothing starts before one more than the limit may
    Duration lasting = 500ms;      ///< typical latencies from here on can hide a recovery
  };
  /// What has changed, for the log.
  struct Change {
    BreakerState state = BreakerState::closed;
    BreakerCause cause = BreakerCause::none;
    Duration lasted{};  ///< the state before it
  };

  explicit Gate(const Rule& rule);

  /// Deliveries begin; without it the first state has lasted since the machine was started.
  void begin(Instant now);

  [[nodiscard]] bool may_start(Instant now) const;
  [[nodiscard]] bool closed() const { return breaker_.closed(); }
  /// From when on may_start() can be true though nothing ends before; Instant::max(): never.
  [[nodiscard]] Instant starts_at(Instant now) const;
  /// Takes notice of time alone: what hangs.
  void look(Instant now);
  /// When to call look() next; Instant::max() while nothing is in flight.
  [[nodiscard]] Instant look_at() const { return in_flight_ > 0 ? look_at_ : Instant::max(); }

  /// `unit` is uniform in [0, 1).
  [[nodiscard]] Try start(Instant now, double unit);
  void end(const Try& ended, Instant now, TryEnd how);
  /// It was named by victim(): its failure is ours.
  [[nodiscard]] bool was_cut(const Try& going) const { return slots_[going.slot].cut; }
  /// After end(): it was begun, and has ended, while the destination was thought to work.
  [[nodiscard]] bool at_work(const Try& ended) const {
    return breaker_.closed() && ended.epoch == breaker_.epoch();
  }
  /// The destination named a time before which it wants nothing.
  void told(Instant now, Instant until);
  /// A person says that the destination is well.
  void hasten(Instant now);

  /// The slot of a try to be cut, because it hangs since before the destination was found wanting
  /// and holds the place of one that may start now. Each is named once.
  [[nodiscard]] std::optional<std::uint32_t> victim(Instant now);
  /// The last change of the breaker that has not been told yet.
  [[nodiscard]] std::optional<Change> take_change();

  [[nodiscard]] const Breaker& breaker() const { return breaker_; }
  [[nodiscard]] const Throttle& throttle() const { return throttle_; }
  [[nodiscard]] const Concurrency& concurrency() const { return concurrency_; }
  [[nodiscard]] RetryBudget& budget() { return budget_; }
  [[nodiscard]] const RetryBudget& budget() const { return budget_; }
  [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }

 private:
  struct Slot {
    Instant began{};
    std::uint32_t epoch = 0;
    bool used = false, cut = false;
  };
  [[nodiscard]] bool wants_to_start(Instant now) const;
  [[nodiscard]] Duration slow_from() const;
  [[nodiscard]] std::uint32_t waiting_since(Instant before) const;
  [[nodiscard]] bool overlong(Instant now) const;
  void delivered(const Try& ended, Instant now);
  void after_change(Instant now);

  Rule rule_;
  Breaker breaker_;
  Throttle throttle_;
  Concurrency concurrency_;
  RetryBudget budget_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint32_t in_flight_ = 0, fresh_ = 0, cut_ = 0, epoch_ = 0;
  bool congested_ = false;
  Instant last_end_{}, last_start_{}, look_at_{}, changed_at_{}, renewed_at_{};
  bool was_closed_ = true;
  std::optional<Change> change_;
};

}  // namespace vesper::relay
