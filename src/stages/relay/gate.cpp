#include "stages/relay/gate.hpp"

#include <algorithm>

#include "base/ensure.hpp"

namespace vesper::relay {
namespace {

constexpr Duration look_every = 100ms, patience = 30s, renew_every = 30s;
constexpr std::uint32_t alone_max = 2;

// Of tries begun together those that fail are often the first to come back.
Breaker::Rule with_streak(Breaker::Rule rule, std::uint32_t most) {
  rule.streak = std::max(rule.streak, most / 2);
  return rule;
}

}  // namespace

Gate::Gate(const Rule& rule)
    : rule_(rule),
      breaker_(with_streak(rule.breaker, rule.concurrency.most)),
      throttle_(rule.throttle),
      concurrency_(rule.concurrency),
      budget_(rule.budget),
      slots_(rule.concurrency.most) {
  free_.reserve(slots_.size());
  for (std::uint32_t slot = rule.concurrency.most; slot > 0; --slot) free_.push_back(slot - 1);
}

void Gate::begin(Instant now) {
  changed_at_ = now;
  breaker_.begin(now);
}

Duration Gate::slow_from() const {
  return concurrency_.quickness().slow_from(rule_.slow_least, rule_.concurrency.tolerance);
}

bool Gate::wants_to_start(Instant now) const {
  if (!breaker_.closed()) return now >= breaker_.probe_at();
  return (fresh_ < concurrency_.limit() || overlong(now)) && throttle_.may_start(now);
}

// All that is allowed has been in flight for long: one more finds out whether it still must be.
bool Gate::overlong(Instant now) const {
  return now - last_start_ >= rule_.stalled_least;
}

bool Gate::may_start(Instant now) const {
  return !free_.empty() && wants_to_start(now);
}

Instant Gate::starts_at(Instant now) const {
  if (free_.empty()) return Instant::max();
  if (!breaker_.closed()) return std::max(breaker_.probe_at(), now);
  const Instant start = std::max(throttle_.next(), now);
  if (fresh_ < concurrency_.limit()) return start;
  return std::max(start, last_start_ + rule_.stalled_least);
}

std::uint32_t Gate::waiting_since(Instant before) const {
  return static_cast<std::uint32_t>(std::ranges::count_if(slots_, [&](const Slot& slot) {
    return slot.used && slot.epoch == breaker_.epoch() && slot.began <= before;
  }));
}

void Gate::look(Instant now) {
  if (in_flight_ == 0 || now < look_at_) return;
  look_at_ = now + look_every;
  if (!breaker_.closed()) return;
  const Duration stall =
      concurrency_.quickness().slow_from(rule_.stalled_least, rule_.concurrency.tolerance);
  const bool full = fresh_ >= concurrency_.limit() || free_.empty();
  if (full && now - std::max(last_end_, changed_at_) >= stall) {
    breaker_.stalled(now);
  } else {
    const std::uint32_t stuck = waiting_since(now - stall);
    if (full && 2 * stuck >= concurrency_.limit() && now - renewed_at_ >= renew_every) {
      // The others come back: half of the places must not be held by what hangs.
      renewed_at_ = now;
      breaker_.renew();
    } else {
      breaker_.waiting(now, waiting_since(now - slow_from()));
    }
  }
  after_change(now);
}

Try Gate::start(Instant now, double unit) {
  ensure(!free_.empty());
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  if (in_flight_++ == 0) {
    last_end_ = now;
    look_at_ = now + look_every;
  }
  ++fresh_;
  last_start_ = now;
  const bool probe = !breaker_.closed();
  if (probe) {
    breaker_.probe(now, unit);
  } else {
    throttle_.start(now, unit);
    concurrency_.started(fresh_);
  }
  slots_[slot] = {now, breaker_.epoch(), true, false};
  return {now, breaker_.epoch(), slot, probe || fresh_ <= alone_max, probe};
}

void Gate::end(const Try& ended, Instant now, TryEnd how) {
  Slot& slot = slots_[ended.slot];
  ensure(slot.used);
  if (slot.cut) --cut_;
  slot = {};
  free_.push_back(ended.slot);
  --in_flight_;
  const bool current = ended.epoch == breaker_.epoch();
  if (current) --fresh_;
  if (how == TryEnd::nothing) {
    breaker_.withdrawn(ended.epoch);
    return;
  }
  last_end_ = now;
  const bool slow = now - ended.began >= slow_from();
  const bool fault = how == TryEnd::overloaded || how == TryEnd::fault;
  if (current && !ended.probe) {
    if (how == TryEnd::delivered) delivered(ended, now);
    if (how == TryEnd::overloaded) concurrency_.overloaded(now, ended.began);
    fault ? throttle_.fault() : throttle_.answered(now, fresh_);
  } else if (ended.probe && how == TryEnd::delivered) {
    concurrency_.probed(now - ended.began);
  }
  if (fault) congested_ = how == TryEnd::overloaded;
  breaker_.ended(now, ended.epoch,
                 fault  ? Breaker::Ended::fault
                 : slow ? Breaker::Ended::slow
                        : Breaker::Ended::answered);
  after_change(now);
}

void Gate::delivered(const Try& ended, Instant now) {
  const Duration took = now - ended.began, typical = concurrency_.quickness().typical();
  if (typical < rule_.lasting || took > typical / rule_.concurrency.tolerance)
    return concurrency_.answered(now, ended.began, ended.alone);
  // It is much quicker now: those that still wait must not hold the places of those to come.
  concurrency_.recovered(now, took);
  breaker_.renew();
}

void Gate::told(Instant now, Instant until) {
  congested_ = true;
  breaker_.told(now, until);
  after_change(now);
}

void Gate::hasten(Instant now) {
  breaker_.hasten(now);
}

void Gate::after_change(Instant now) {
  if (epoch_ == breaker_.epoch()) return;
  epoch_ = breaker_.epoch();
  fresh_ = 0;
  if (was_closed_ && breaker_.closed()) return;  // renewed
  was_closed_ = breaker_.closed();
  change_ = Change{breaker_.state(), breaker_.cause(), now - changed_at_};
  changed_at_ = now;
  if (!breaker_.closed()) return;
  throttle_.clear();
  concurrency_.restart(now, breaker_.closed_slowly() ? 1 : rule_.concurrency.first, congested_);
  congested_ = false;
}

std::optional<std::uint32_t> Gate::victim(Instant now) {
  if (!free_.empty() || !wants_to_start(now)) return std::nullopt;
  const std::uint32_t limit = concurrency_.limit();
  const std::uint32_t wanted = breaker_.closed() && limit > fresh_ ? limit - fresh_ : 1;
  if (cut_ >= wanted) return std::nullopt;
  Slot* oldest = nullptr;
  for (Slot& slot : slots_) {
    // A probe is let be for long: where answers take so long, cutting it would learn nothing.
    const bool old = now - slot.began >= (slot.epoch == epoch_ ? patience : rule_.stalled_least);
    if (!slot.cut && old && (!oldest || slot.began < oldest->began)) oldest = &slot;
  }
  if (oldest == nullptr || (breaker_.closed() && oldest->epoch == epoch_)) return std::nullopt;
  oldest->cut = true;
  ++cut_;
  return static_cast<std::uint32_t>(oldest - slots_.data());
}

std::optional<Gate::Change> Gate::take_change() {
  return std::exchange(change_, std::nullopt);
}

}  // namespace vesper::relay
