#pragma once
#include <chrono>

namespace vesper {

using namespace std::chrono_literals;
using Duration = std::chrono::nanoseconds;

/// Tag of the monotonic time line. It has no now(): time is read only through ports::Clock.
struct MonotonicTimeline {
  using duration = Duration;
  using rep = Duration::rep;
  using period = Duration::period;
  using time_point = std::chrono::time_point<MonotonicTimeline, Duration>;
  static constexpr bool is_steady = true;
};

/// A point on the monotonic time line: for deadlines, ages and delays; meaningless after a restart.
using Instant = MonotonicTimeline::time_point;

/// UTC with milliseconds: for what people and other systems read. May jump; never orders anything.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// The instant after which a result is of no use to anybody.
struct Deadline {
  Instant at;
  [[nodiscard]] constexpr bool passed(Instant now) const { return now >= at; }
  [[nodiscard]] constexpr Duration remaining(Instant now) const {
    return now >= at ? Duration::zero() : at - now;
  }
};

}  // namespace vesper
