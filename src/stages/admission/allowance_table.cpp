#include "stages/admission/allowance_table.hpp"

#include <bit>

#include "base/ensure.hpp"

namespace vesper::admission {

// Memory of zeros that the system has not given yet: a limit that is never used costs no page.
AllowanceTable::AllowanceTable(std::size_t cells) {
  const std::size_t sets = std::bit_ceil(std::max<std::size_t>(cells, 64)) / ways;
  shift_ = 64 - std::countr_zero(sets);
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  cells_.reset(static_cast<Cell*>(std::calloc(sets * ways, sizeof(Cell))));
  ensure(cells_ != nullptr);
}

AllowanceTable::Cell* AllowanceTable::find(std::uint64_t name) const {
  Cell* const set = set_of(name);
  for (std::size_t i = 0; i < ways; ++i)
    if (set[i].name.load(std::memory_order_acquire) == name) return &set[i];
  return nullptr;
}

AllowanceTable::Cell& AllowanceTable::claim(std::uint64_t name, UsedAllowance at_rest) {
  Cell* const set = set_of(name);
  for (;;) {
    Cell* best = nullptr;
    UsedAllowance least = used_allowance_max + 1;
    std::uint64_t holder = nobody;
    for (std::size_t i = 0; i < ways && least > 0; ++i) {
      const std::uint64_t seen = set[i].name.load(std::memory_order_acquire);
      if (seen == being_claimed) continue;
      if (seen == name) return set[i];  // another thread was first
      UsedAllowance used = set[i].word.load(std::memory_order_acquire) & used_allowance_max;
      if (seen == nobody || used <= at_rest) used = 0;
      if (used >= least) continue;
      best = &set[i];
      least = used;
      holder = seen;
    }
    if (best == nullptr ||
        !best->name.compare_exchange_strong(holder, being_claimed, std::memory_order_acq_rel))
      continue;
    if (least > 0) evictions_.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t word = best->word.load(std::memory_order_relaxed);
    best->word.store((word & ~used_allowance_max) + generation_one, std::memory_order_release);
    best->name.store(name, std::memory_order_release);
    return *best;
  }
}

Duration take_from(AllowanceTable& buckets, std::uint64_t name, const BucketRule& rule,
                   Instant now) {
  const std::uint64_t present = ticks_of(now);
  const auto outcome = buckets.update(
      name, present, [&](UsedAllowance used) { return take_one(used, present, rule); });
  return outcome.changed ? Duration::zero()
                         : std::max<Duration>(1ns, wait_for_one(outcome.before, present, rule));
}

Duration book_slot(AllowanceTable& buckets, std::uint64_t name, const BucketRule& rule,
                   Instant now) {
  constexpr Duration booking_max = 512s;
  const std::uint64_t present = ticks_of(now), horizon = present + (booking_max.count() >> 8);
  const auto outcome = buckets.update(~name, present, [&](UsedAllowance booked) {
    return std::optional{std::min(std::max(booked, present) + rule.interval, horizon)};
  });
  return duration_of(std::max(outcome.before, present) - present);
}

}  // namespace vesper::admission
