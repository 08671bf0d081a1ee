#include "stages/relay/breaker.hpp"

#include <algorithm>

namespace vesper::relay {

std::string_view name_of(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::open:
      return "open";
    case BreakerState::half_open:
      return "half-open";
  }
  return "closed";
}

std::string_view name_of(BreakerCause cause) {
  switch (cause) {
    case BreakerCause::none:
      return "none";
    case BreakerCause::faults:
      return "faults";
    case BreakerCause::slow:
      return "slow";
    case BreakerCause::stalled:
      return "stalled";
    case BreakerCause::told:
      return "told";
  }
  return "none";
}

void Breaker::probe(Instant now, double unit) {
  ++probes_;
  const double spread = 0.75 + 0.25 * unit;
  probe_at_ =
      now + Duration{static_cast<Duration::rep>(static_cast<double>(interval_.count()) * spread)};
  interval_ = std::min(interval_ * 2, rule_.probe_every);
}

void Breaker::withdrawn(std::uint32_t began) {
  if (open_ && began == epoch_ && probes_ > 0) --probes_;
}

void Breaker::ended(Instant now, std::uint32_t began, Ended how) {
  const bool answer = how != Ended::fault;
  if (answer) last_answer_ = now;
  if (began != epoch_) {
    if (!open_ || !answer) return;
    probe_at_ = std::max(std::min(probe_at_, now), not_before_);
    if (cause_ == BreakerCause::stalled && how == Ended::answered) close(now);
    return;
  }
  if (open_) {
    withdrawn(began);
    slow_answers_ = answer ? slow_answers_ + 1 : 0;
    if (now < not_before_) return;
    if (how == Ended::answered) slow_answers_ = 0;
    if (how == Ended::answered || slow_answers_ >= rule_.slow_answers)
      close(now);
    else if (answer)
      probe_at_ = now;
    return;
  }
  tally_.add(now, tries);
  if (!answer) return fault(now);
  faults_in_row_ = 0;
  if (++answers_ >= rule_.trial) on_trial_ = false;
  if (how == Ended::slow) {
    tally_.add(now, slow);
    judge(now, 0);
  }
}

void Breaker::fault(Instant now) {
  tally_.add(now, faults);
  ++faults_in_row_;
  const bool quiet = last_answer_ == Instant::min() || now - last_answer_ >= rule_.quiet;
  if (faults_in_row_ >= (quiet || on_trial_ ? rule_.quiet_streak : rule_.streak))
    return open(now, BreakerCause::faults);
  judge(now, 0);
}

void Breaker::judge(Instant now, std::uint32_t overdue) {
  const std::uint32_t all = tally_.sum(now, tries) + overdue;
  if (all < rule_.volume) return;
  if (tally_.sum(now, faults) >= rule_.fault_share * all) return open(now, BreakerCause::faults);
  if (tally_.sum(now, slow) + overdue >= rule_.slow_share * all) open(now, BreakerCause::slow);
}

void Breaker::waiting(Instant now, std::uint32_t overdue) {
  if (!open_ && overdue > 0) judge(now, overdue);
}

void Breaker::stalled(Instant now) {
  if (open_) return;
  open(now, BreakerCause::stalled);
  probe_at_ = now;
}

void Breaker::told(Instant now, Instant until) {
  not_before_ = std::max(not_before_, until);
  if (!open_) open(now, BreakerCause::told);
  cause_ = BreakerCause::told;
  probe_at_ = std::max(probe_at_, not_before_);
}

void Breaker::hasten(Instant now) {
  not_before_ = now;
  if (open_) probe_at_ = now;
}

void Breaker::open(Instant now, BreakerCause cause) {
  // One that opens again soon after it closed has not earned a quick probe.
  const bool flaps = epoch_ > 0 && now - since_ < rule_.span;
  interval_ = flaps ? rule_.probe_every : rule_.probe_first;
  open_ = true;
  cause_ = cause;
  since_ = now;
  probe_at_ = std::max(now + interval_, not_before_);
  ++epoch_;
  probes_ = slow_answers_ = 0;
}

void Breaker::close(Instant now) {
  open_ = false;
  since_ = now;
  ++epoch_;
  probes_ = faults_in_row_ = answers_ = 0;
  on_trial_ = true;
  tally_.clear();
}

}  // namespace vesper::relay
