#pragma once
#include <atomic>
#include <cstdint>

#include "base/time.hpp"

namespace vesper {

/// The most that a level ever was.
///   Thread: any; a level below the highest costs one load.
class HighWater {
 public:
  void raise(std::uint64_t level) {
    std::uint64_t seen = most_.load(std::memory_order_relaxed);
    while (level > seen && !most_.compare_exchange_weak(seen, level, std::memory_order_relaxed)) {
    }
  }
  [[nodiscard]] std::uint64_t value() const { return most_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> most_{0};
};

/// What a bounded place holds, for /debug/vars.
struct QueueFigures {
  std::uint64_t depth = 0, capacity = 0, high_water = 0;
  Duration blocked{};  ///< time that was spent waiting in it, or for it, added up
};

}  // namespace vesper
