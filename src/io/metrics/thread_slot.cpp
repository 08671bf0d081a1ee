#include "io/metrics/thread_slot.hpp"

#include <atomic>
#include <bit>
#include <cstdint>

namespace vesper {
namespace {

std::atomic<std::uint64_t> taken{1ull << shared_slot};

// Taking and freeing are acquire and release: a slot's next owner sees what the last one wrote.
struct Slot {
  Slot() {
    std::uint64_t now = taken.load(std::memory_order_relaxed);
    do {
      index = static_cast<std::size_t>(std::countr_one(now));
      if (index >= shared_slot) {
        index = shared_slot;
        return;
      }
    } while (!taken.compare_exchange_weak(now, now | (1ull << index), std::memory_order_acquire,
                                          std::memory_order_relaxed));
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() {
    if (index != shared_slot) taken.fetch_and(~(1ull << index), std::memory_order_release);
  }
  std::size_t index = shared_slot;
};

}  // namespace

std::size_t thread_slot() {
  thread_local const Slot slot;
  return slot.index;
}

}  // namespace vesper
