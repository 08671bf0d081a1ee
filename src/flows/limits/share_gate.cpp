#include "flows/limits/share_gate.hpp"

#include "flows/replies.hpp"

namespace vesper {
namespace {

using admission::DegradationLevel;
using admission::OverRate;

// Measured on the machine of docs/reference/benchmarks.md; the order matters more than the figure.
Duration cost_of(access::Algorithm algorithm) {
  switch (algorithm) {
    case access::Algorithm::hs256:
      return 2us;
    case access::Algorithm::rs256:
      return 24us;
    case access::Algorithm::es256:
      return 66us;
    case access::Algorithm::eddsa:
      return 107us;
  }
  std::unreachable();
}

DegradationLevel given_up_at(TrafficClass route_class) {
  constexpr auto never = static_cast<DegradationLevel>(255);
  switch (route_class) {
    case TrafficClass::health:
    case TrafficClass::admin:
      return never;
    case TrafficClass::submissions:
      return DegradationLevel::refuse;
    case TrafficClass::reads:
      return DegradationLevel::reads_off;
    case TrafficClass::exports:
      return DegradationLevel::exports_off;
  }
  std::unreachable();
}

double ceiling_of(TrafficClass route_class, const admission::Ceilings& ceilings) {
  switch (route_class) {
    case TrafficClass::health:
    case TrafficClass::admin:
      return 0;
    case TrafficClass::submissions:
      return ceilings.submissions_per_second;
    case TrafficClass::reads:
      return ceilings.reads_per_second;
    case TrafficClass::exports:
      return ceilings.exports_per_second;
  }
  std::unreachable();
}

Counter counter_of(OverRate why, bool dry) {
  switch (why) {
    case OverRate::patient:
      return dry ? Counter::would_refuse_patient : Counter::over_patient_rate;
    case OverRate::patient_day:
      return dry ? Counter::would_refuse_patient_day : Counter::over_patient_day;
    case OverRate::caller:
      return dry ? Counter::would_refuse_caller : Counter::over_caller_rate;
    case OverRate::trial:
    case OverRate::address:  // not of a verified name: address_gate.cpp
    case OverRate::connection:
    case OverRate::nothing:
      return dry ? Counter::would_refuse_trial : Counter::over_trial_rate;
  }
  std::unreachable();
}

}  // namespace

bool ShareGate::refuse_for_room(Exchange& exchange, Counter why) {
  parts_.telemetry.count(why);
  refuse_for_load(exchange.reply, parts_.slots.promise(exchange.started));
  return true;
}

bool ShareGate::refuse_class(Exchange& exchange, const Route& route) {
  if (parts_.fair_use.level() >= given_up_at(route.route_class))
    return refuse_for_room(exchange, Counter::refused_for_class);
  if (route.breaker == RouteBreaker::journal && parts_.fair_use.journal_stalled())
    return refuse_for_room(exchange, Counter::refused_for_breaker);
  const admission::Limits& limits = limits_.current();
  const double ceiling = ceiling_of(route.route_class, limits.ceilings);
  if (parts_.fair_use.below_ceiling(static_cast<std::size_t>(route.route_class), ceiling,
                                    exchange.started))
    return false;
  if (!limits.dry_run) return refuse_for_room(exchange, Counter::refused_for_ceiling);
  parts_.telemetry.count(Counter::would_refuse_ceiling);
  return false;
}

bool ShareGate::may_ask_for_share(const Route& route, Duration waited, Counter why) {
  parts_.fair_use.note_crowded(waited);
  crowded_ = true;
  door_reason_ = why;
  return route.authentication == Authentication::token && limits_.current().fair_shares;
}

bool ShareGate::refuse_share(Exchange& exchange) {
  const admission::Limits& limits = limits_.current();
  if (!limits.fair_shares) return false;
  admission::TrialShares& shares = parts_.fair_use.shares();
  exchange.party = parts_.fair_use.party_of(*exchange.caller);
  if (!limits.weights.empty() && exchange.caller->trials.size() == 1)
    shares.set_weight(exchange.party, limits.weight_of(exchange.caller->trials.front()));
  shares.count(exchange.party);
  if (crowded_ && !shares.inside_share(exchange.party))
    return refuse_for_room(
        exchange, shares.contended(exchange.party) ? Counter::refused_for_share : door_reason_);
  parts_.fair_use.note_admitted();
  return false;
}

bool ShareGate::refuse_rate(Exchange& exchange, const Route& route) {
  if (route.rate == RateRule::none) return false;
  const auto& trials = exchange.caller->trials;
  if (trials.size() != 1 && route.rate == RateRule::submissions) return false;
  return refuse_rate(exchange, route,
                     trials.size() == 1 ? std::string_view{trials.front()} : std::string_view{});
}

bool ShareGate::refuse_rate(Exchange& exchange, const Route& route, std::string_view trial_id) {
  if (exchange.charge.decided) return false;
  exchange.charge.decided = true;
  const Trial* trial = parts_.catalog.snapshot()->find(trial_id);
  const admission::Limits& limits = limits_.current();
  const auto rates = limits.for_trial(trial_id, trial == nullptr ? nullptr : &trial->rates);
  if (!rates.any()) return false;
  const Caller& caller = *exchange.caller;
  const bool acts_for_others = caller.scopes.has(Scope::site) || caller.scopes.has(Scope::service);
  const admission::Names names{trial_id, caller.subject, caller.issuer, !acts_for_others};
  const auto kind = route.rate == RateRule::reads ? admission::AllowanceKind::reads
                                                  : admission::AllowanceKind::submissions;
  const auto taken =
      parts_.fair_use.allowances().take(names, kind, rates, exchange.started, parts_.clock.wall());
  exchange.charge = taken.charge;
  exchange.charge.decided = true;
  if (taken.why == OverRate::nothing) return false;
  parts_.telemetry.count(counter_of(taken.why, limits.dry_run));
  if (limits.dry_run) return false;
  refuse_for_rate(exchange.reply, taken.why, taken.wait, parts_.random);
  return true;
}

void ShareGate::give_back(Exchange& exchange) {
  if (!exchange.charge.any()) return;
  parts_.fair_use.allowances().give_back(exchange.charge, parts_.clock.now(), parts_.clock.wall());
  exchange.charge = {.decided = true};
}

bool ShareGate::admit(access::Algorithm algorithm, std::string_view claimed) {
  const admission::Limits& limits = limits_.current();
  SipHash hash{parts_.seed};
  hash.add(claimed);
  return cold_.admit(hash.finish(), cost_of(algorithm),
                     crowded_ ? limits.cold_checks_crowded_percent : limits.cold_checks_percent,
                     now_);
}

}  // namespace vesper
