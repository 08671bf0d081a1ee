#pragma once
#include <array>
#include <atomic>
#include <cstdint>

#include "base/time.hpp"

namespace vesper::admission {

/// Books the second in which a refused client may come back.
///   Shape:  one ring of seconds. A promise goes into the first second that has room left of what
///           capacity can take in it, not counting what was promised before; so a crowd is refused
///           about once instead of in waves.
///   Units:  capacity in requests a second.
///   Bounds: 1 s to horizon_s; past it promises are spread evenly over the last quarter.
///   Thread: any; wait-free but for a bounded search.
///   Why:    clients return between the promise and 1.2 times it. Promises of equal density `d`
///           therefore come back with density 0.91 d, which is what `over_booking` makes up for.
class Slots {
 public:
  static constexpr std::uint32_t horizon_s = 512;
  static constexpr double over_booking = 1.05;
  static constexpr double capacity_least = 10;

  /// Seconds after which the client is expected; at least 1.
  [[nodiscard]] std::uint32_t promise(Instant now);
  /// What all parts together can take a second, by the latest measurement.
  void set_capacity(double per_s) { capacity_.store(per_s, std::memory_order_relaxed); }
  [[nodiscard]] double capacity() const { return capacity_.load(std::memory_order_relaxed); }
  /// Promised for seconds still to come.
  [[nodiscard]] std::uint64_t outstanding(Instant now) const;

 private:
  /// The second a cell stands for, and how many are promised in it.
  [[nodiscard]] static constexpr std::uint64_t cell(std::uint64_t second, std::uint32_t count) {
    return second << 24 | count;
  }
  static constexpr std::uint32_t count_max = (1U << 24) - 1;
  bool book(std::uint64_t second, std::uint32_t room);

  std::array<std::atomic<std::uint64_t>, 2 * horizon_s> cells_{};
  std::atomic<std::uint64_t> frontier_{0};  ///< seconds before it are full
  std::atomic<double> capacity_{1000};
};

}  // namespace vesper::admission
