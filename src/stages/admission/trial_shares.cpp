#include "stages/admission/trial_shares.hpp"

#include <algorithm>
#include <cmath>

namespace vesper::admission {
namespace {

constexpr Duration half_life = 300ms, forgotten = 60s;
constexpr double still_active = 0.01;

// In a tick: the share, and a burst such as sixty phones that a reminder wakes.
std::uint32_t quota_of(double rate, double seconds) {
  constexpr double burst = 64, most = 1e9;
  return static_cast<std::uint32_t>(std::min(most, burst + rate * seconds));
}

// Three standard deviations of a demand measured over some 0.9 s: chance makes nobody greedy.
double noise_of(double rate) {
  return 3 * std::sqrt(std::max(rate, 1.0));
}

}  // namespace

TrialShares::TrialShares()
    : memory_(std::make_unique<std::array<Slot, parties_max>>()), slots_(*memory_) {
  active_.reserve(parties_max);
}

Party TrialShares::party_of(std::uint64_t name) {
  constexpr std::size_t probes = 32;
  name = std::max<std::uint64_t>(name, 1);
  for (std::size_t i = 0; i < probes; ++i) {
    const auto party = static_cast<Party>(1 + (name + i) % (parties_max - 1));
    std::uint64_t held = at(party).name.load(std::memory_order_acquire);
    if (held == name) return party;
    if (held == 0 && at(party).name.compare_exchange_strong(held, name)) return party;
    if (held == name) return party;
  }
  return the_rest;
}

void TrialShares::set_weight(Party party, double weight) {
  at(party).weight.store(weight, std::memory_order_relaxed);
}

void TrialShares::count(Party party) {
  if (at(party).asked.fetch_add(1, std::memory_order_relaxed) == 0)
    asking_.fetch_add(1, std::memory_order_relaxed);
}

bool TrialShares::contended(Party party) const {
  const Slot& slot = at(party);
  // Whose first request of a tick it is may have been alone in asking so far.
  const std::uint32_t now = slot.asked.load(std::memory_order_relaxed) > 0;
  const std::uint32_t before = slot.asked_before.load(std::memory_order_relaxed);
  return asking_.load(std::memory_order_relaxed) > now ||
         asked_before_.load(std::memory_order_relaxed) > before;
}

bool TrialShares::inside_share(Party party) const {
  const Slot& slot = at(party);
  if (slot.over.load(std::memory_order_relaxed)) return false;
  if (!contended(party)) return false;
  std::uint32_t quota = slot.quota.load(std::memory_order_relaxed);
  if (quota == 0) quota = newcomer_quota_.load(std::memory_order_relaxed);
  return slot.asked.load(std::memory_order_relaxed) <= quota;
}

void TrialShares::measure(double seconds, Instant now) {
  const double kept = std::exp2(-seconds / std::chrono::duration<double>(half_life).count());
  active_.clear();
  for (std::size_t i = 0; i < parties_max; ++i) {
    Slot& slot = slots_[i];
    const std::uint32_t asked = slot.asked.exchange(0, std::memory_order_relaxed);
    if (asked > 0) slot.seen = now;
    slot.asked_before.store(asked > 0, std::memory_order_relaxed);
    slot.demand = slot.demand * kept + (asked / seconds) * (1 - kept);
    if (slot.demand > still_active) {
      active_.push_back(static_cast<Party>(i));
      continue;
    }
    slot.demand = 0;
    slot.quota.store(0, std::memory_order_relaxed);
    slot.over.store(false, std::memory_order_relaxed);
    if (i != the_rest && now - slot.seen > forgotten) slot.name.store(0, std::memory_order_release);
  }
}

// Water-filling: who asks for least for its weight is served first; what it leaves raises the level
// for the others.
double TrialShares::find_level(double capacity) {
  const auto weight = [&](Party party) {
    return std::max(1e-6, at(party).weight.load(std::memory_order_relaxed));
  };
  std::ranges::sort(active_, {}, [&](Party party) { return at(party).demand / weight(party); });
  double weights = 0;
  for (const Party party : active_) weights += weight(party);
  for (const Party party : active_) {
    const double level = capacity / weights;
    if (at(party).demand > level * weight(party)) return level;
    capacity -= at(party).demand;
    weights -= weight(party);
  }
  return weights > 0 ? capacity / weights : capacity;
}

void TrialShares::tick(double capacity, Instant now) {
  const bool first = ticked_ == Instant{};
  const double seconds = first ? 0.1 : std::chrono::duration<double>(now - ticked_).count();
  if (seconds <= 0) return;
  ticked_ = now;
  asked_before_.store(asking_.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
  measure(seconds, now);
  double sum = 0, weights = 0;
  for (const Party party : active_) {
    sum += at(party).demand;
    weights += at(party).weight.load(std::memory_order_relaxed);
  }
  level_ = sum > capacity ? find_level(capacity) : capacity / std::max(1.0, weights);
  for (const Party party : active_) {
    Slot& slot = at(party);
    const double share = level_ * slot.weight.load(std::memory_order_relaxed);
    slot.quota.store(quota_of(share, seconds), std::memory_order_relaxed);
    slot.over.store(slot.demand > share + noise_of(share), std::memory_order_relaxed);
  }
  // One that has not asked before may have what the others may.
  newcomer_quota_.store(quota_of(level_, seconds), std::memory_order_relaxed);
}

}  // namespace vesper::admission
