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
///   Why:    clients return between the promise and 1.2 times it, so promises of equal density `d`
///           come back with density 0.91 d. `booked_share` leaves the rest to new arrivals.
class Slots {
 public:
  static constexpr std::uint32_t horizon_s = 512;
  static constexpr double booked_share = 0.97;
  static constexpr double capacity_least = 10, capacity_unknown = 1000;

  /// Seconds after which the client is expected; at least 1. `most_per_s` is what the parts have
  /// behind them, such as a journal; 0: as it was said last.
  [[nodiscard]] std::uint32_t promise(Instant now, double most_per_s = 0);
  /// What one part, such as a shard, can take a second, by its latest measurement.
  void set_part(std::size_t part, double per_s);
  /// Of all parts together; capacity_unknown before the first measurement.
  [[nodiscard]] double capacity() const;
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
  std::array<std::atomic<double>, 256> parts_{};
  std::atomic<std::size_t> parts_used_{0};
  std::atomic<double> behind_{0};
};

}  // namespace vesper::admission
