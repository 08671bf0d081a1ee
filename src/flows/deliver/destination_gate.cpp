// What may go now, and when to ask again: the gate, the lanes and the pacer together.
#include <algorithm>

#include "flows/deliver/destination.hpp"

namespace vesper {

void Destination::watch_gate(Instant now) {
  gate_.look(now);
  const auto change = gate_.take_change();
  if (!change) return;
  figures_.count_change();
  tell_change(*change);
  if (gate_.closed())
    lanes_.recovered();
  else
    lanes_.forgive();
}

// A try that hangs since before the destination was found wanting makes room for one that may go.
bool Destination::cut_one(Instant now) {
  if (stage_ != Stage::running || paused_ || loaded_.empty()) return false;
  const auto slot = gate_.victim(now);
  if (slot) worker_scopes_[by_slot_[*slot]].cancel();
  return slot.has_value();
}

std::size_t Destination::load_room(Instant now) const {
  if (stage_ != Stage::running || loading_ || paused_ || now < store_again_) return 0;
  if (gate_.closed()) return loaded_.size() <= load_max_ / 2 ? load_max_ - loaded_.size() : 0;
  // It is owed one try, not a batch of them.
  return loaded_.empty() && gate_.breaker().probe_at() <= now ? 1 : 0;
}

std::optional<OwedEntry> Destination::next_entry(Instant now) {
  if (!gate_.closed()) {
    lanes_.hasten();
    return lanes_.next(now);
  }
  // What waits for the budget must not fill the window: then there were no first tries to earn it.
  const bool crowded = lanes_.retries() > settings_.window / 2;
  if (crowded || (lanes_.retries() > 0 && gate_.budget().may_retry(now)))
    if (auto entry = lanes_.next_retry(now)) {
      if (!crowded) gate_.budget().retry(now);
      return entry;
    }
  auto entry = lanes_.next(now);
  if (entry) gate_.budget().first_try();
  return entry;
}

bool Destination::can_start(Instant now) const {
  return stage_ == Stage::running && !paused_ && !loaded_.empty() && gate_.may_start(now) &&
         pacer_.may_start(now);
}

Instant Destination::next_wake(Instant now) {
  Instant wake = std::min(rescan_at_, gate_.look_at());
  if (store_again_ > now) wake = std::min(wake, store_again_);
  if (load_room(now) > 0) {
    if (const auto due = lanes_.wakes_at()) wake = std::min(wake, *due);
    if (lanes_.retries() > 0) wake = std::min(wake, gate_.budget().next(now));
  }
  return paused_ ? wake : std::min(wake, next_start(now));
}

Instant Destination::next_start(Instant now) {
  if (loaded_.empty()) {
    const bool probe = !gate_.closed() && !loading_ && lanes_.can_hasten();
    return probe ? std::max(gate_.breaker().probe_at(), store_again_) : Instant::max();
  }
  const Instant start = gate_.starts_at(now);
  return start == Instant::max() ? start : std::max(start, pacer_.next(now));
}

}  // namespace vesper
