#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "base/random.hpp"
#include "base/time.hpp"

namespace vesper::sim {

/// Virtual time, the events due in it, the seed's random numbers and the trace of what happened.
///   Shape:  events at the same instant run in the order in which they were scheduled; nothing
///   reads
///           a real clock, so equal seeds give equal traces.
///   Thread: one.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}
  World(const World&) = delete;

  using Event = std::move_only_function<void()>;
  using EventId = std::pair<Instant, std::uint64_t>;

  [[nodiscard]] Instant now() const { return now_; }
  /// Wall time starts on a Friday evening and may be stepped by a fault.
  [[nodiscard]] WallTime wall() const {
    return evening_ + std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch()) +
           step_;
  }
  void step_wall_clock(std::chrono::milliseconds by) { step_ += by; }

  EventId at(Instant when, Event event) {
    const EventId id{when < now_ ? now_ : when, ++sequence_};
    events_.emplace(id, std::move(event));
    return id;
  }
  EventId after(Duration delay, Event event) { return at(now_ + delay, std::move(event)); }
  /// False when the event has run already.
  bool cancel(EventId id) { return events_.erase(id) != 0; }

  /// Runs the next event; false when there is none before `until`.
  bool step(Instant until) {
    if (events_.empty() || events_.begin()->first.first > until) {
      if (now_ < until) now_ = until;
      return false;
    }
    auto next = events_.extract(events_.begin());
    now_ = next.key().first;
    next.mapped()();
    return true;
  }

  [[nodiscard]] Random& random() { return random_; }
  /// Uniform in [low, high].
  [[nodiscard]] Duration between(Duration low, Duration high) {
    return low + Duration{static_cast<std::int64_t>(
                     random_.below(static_cast<std::uint64_t>((high - low).count()) + 1))};
  }

  /// Adds one happening to the trace; only its running hash is kept.
  void trace(std::string_view what, std::uint64_t detail = 0);
  [[nodiscard]] std::uint64_t trace_hash() const { return trace_; }

 private:
  Random random_;
  Instant now_{Duration{1'000'000'000}};
  WallTime evening_{std::chrono::milliseconds{1'795'204'800'000}};
  std::chrono::milliseconds step_{0};
  std::uint64_t sequence_ = 0, trace_ = 0xcbf29ce484222325;
  std::map<EventId, Event> events_;
};

}  // namespace vesper::sim
