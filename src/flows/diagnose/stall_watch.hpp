#pragma once
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/clock.hpp"
#include "ports/log.hpp"
#include "ports/telemetry.hpp"
#include "tasks/task_registry.hpp"

namespace vesper {

/// Looks every second for tasks past their deadline, and so for loops that do not turn: the sweep
/// of a shard is due five times a second.
///   Shape:  each is told once, with where it waits and what its thread did last, and again each
///           minute while it lasts.
///   Bounds: so many lines a look; the rest is counted.
///   Thread: the admin's. All references outlive it.
class StallWatch {
 public:
  static constexpr Duration look_every = 1s, slack = 1s, tell_again = 60s;
  static constexpr std::size_t lines_max = 8;

  StallWatch(const TaskRegistry& tasks, Clock& clock, Telemetry& telemetry, Log& log)
      : tasks_(tasks), clock_(clock), telemetry_(telemetry), log_(log) {}

  /// Until it is cancelled.
  asio::awaitable<void> run(TaskRecord* task);
  /// Once; how many are stalled.
  std::size_t look();
  [[nodiscard]] std::size_t stalled() const { return stalled_; }

 private:
  using Key = std::pair<const ScopeRecord*, std::uint32_t>;
  void tell(const TaskRecord::View& task, Instant now);

  const TaskRegistry& tasks_;
  Clock& clock_;
  Telemetry& telemetry_;
  Log& log_;
  std::map<Key, Instant> told_;
  std::size_t stalled_ = 0;
};

}  // namespace vesper
