#include "stages/admission/slots.hpp"

#include <algorithm>

namespace vesper::admission {
namespace {

std::uint64_t second_of(Instant at) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

}  // namespace

bool Slots::book(std::uint64_t second, std::uint32_t room) {
  auto& at = cells_[second % cells_.size()];
  std::uint64_t seen = at.load(std::memory_order_relaxed);
  for (;;) {
    const bool fresh = seen >> 24 != second;  // the cell still stands for a second long past
    const std::uint32_t count = fresh ? 0 : static_cast<std::uint32_t>(seen & count_max);
    if (count >= room) return false;
    if (at.compare_exchange_weak(seen, cell(second, count + 1), std::memory_order_relaxed))
      return true;
  }
}

std::uint32_t Slots::promise(Instant now) {
  const double per_s = std::max(capacity(), capacity_least) * over_booking;
  const auto room = static_cast<std::uint32_t>(std::min<double>(per_s, count_max));
  const std::uint64_t present = second_of(now), first = present + 1, end = present + horizon_s;
  std::uint64_t second = frontier_.load(std::memory_order_relaxed);
  if (second < first || second >= end) second = first;
  for (; second < end; ++second) {
    if (!book(second, room)) continue;
    frontier_.store(second, std::memory_order_relaxed);
    return static_cast<std::uint32_t>(second - present);
  }
  // More than the horizon can take: spread what is beyond counting.
  const auto nanoseconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
  return horizon_s - static_cast<std::uint32_t>(nanoseconds / 1024 % (horizon_s / 4));
}

std::uint64_t Slots::outstanding(Instant now) const {
  const std::uint64_t present = second_of(now);
  std::uint64_t sum = 0;
  for (const auto& at : cells_) {
    const std::uint64_t seen = at.load(std::memory_order_relaxed);
    if (seen >> 24 > present) sum += seen & count_max;
  }
  return sum;
}

}  // namespace vesper::admission
