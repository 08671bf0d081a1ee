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

void Slots::set_part(std::size_t part, double per_s) {
  if (part >= parts_.size()) return;
  parts_[part].store(per_s, std::memory_order_relaxed);
  std::size_t used = parts_used_.load(std::memory_order_relaxed);
  while (used <= part && !parts_used_.compare_exchange_weak(used, part + 1)) {
  }
}

double Slots::capacity() const {
  double sum = 0;
  const std::size_t used = parts_used_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < used; ++i) sum += parts_[i].load(std::memory_order_relaxed);
  return sum > 0 ? sum : capacity_unknown;
}

std::uint32_t Slots::promise(Instant now, double most_per_s) {
  if (most_per_s > 0) behind_.store(most_per_s, std::memory_order_relaxed);
  const double behind = behind_.load(std::memory_order_relaxed);
  const double able = behind > 0 ? std::min(capacity(), behind) : capacity();
  const double per_s = std::max(able, capacity_least) * booked_share;
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
