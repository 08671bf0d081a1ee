#include "flows/deliver/protection.hpp"

#include <algorithm>
#include <utility>

namespace vesper {

relay::Gate::Rule gate_rule(const UpstreamSettings& settings) {
  relay::Gate::Rule rule;
  rule.slow_least = settings.slow_from > 0ns ? settings.slow_from : settings.deadline / 2;
  rule.stalled_least = std::clamp<Duration>(settings.deadline / 4, 50ms, 1s);
  rule.breaker.fault_share = rule.breaker.slow_share = settings.fault_share_max;
  rule.breaker.probe_every = settings.probe_every;
  rule.breaker.probe_first = std::min<Duration>(rule.breaker.probe_first, settings.probe_every);
  rule.concurrency.most = settings.concurrency;
  rule.concurrency.first = std::min(rule.concurrency.first, settings.concurrency);
  rule.concurrency.slow_least = rule.slow_least / 10;
  rule.concurrency.ponderous = rule.slow_least;
  rule.budget.share = settings.retry_share_max;
  rule.budget.floor_per_s = settings.retry_floor_per_s;
  return rule;
}

relay::TryEnd try_end_of(const upstream::Outcome& outcome) {
  using upstream::Blame, upstream::Reason, upstream::Verdict;
  switch (outcome.verdict) {
    case Verdict::settled:
      return outcome.reason == Reason::none ? relay::TryEnd::delivered : relay::TryEnd::answered;
    case Verdict::parked:
      return relay::TryEnd::answered;
    case Verdict::retry:
      break;
  }
  if (outcome.blame != Blame::destination) return relay::TryEnd::answered;
  return outcome.reason == Reason::overloaded || outcome.reason == Reason::timed_out
             ? relay::TryEnd::overloaded
             : relay::TryEnd::fault;
}

}  // namespace vesper
