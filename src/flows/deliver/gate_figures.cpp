#include "flows/deliver/gate_figures.hpp"

#include <fmt/format.h>

#include <array>

#include "base/ensure.hpp"

namespace vesper {
namespace {

using relay::BreakerCause, relay::BreakerState;

enum Row : std::size_t { state, cause, seconds, changes, throttle, limit, in_flight, budget };

constexpr std::array<GateMetric, 8> rows{{
    {"vesper_relay_breaker_state", "gauge", R"(destination,state="closed|open|half-open")",
     "1 for the state in which the destination's breaker is"},
    {"vesper_relay_breaker_cause", "gauge", R"(destination,cause="none|faults|slow|stalled|told")",
     "1 for why it opened last"},
    {"vesper_relay_breaker_state_seconds", "gauge", "destination",
     "Since when it has been closed, or not closed"},
    {"vesper_relay_breaker_changes_total", "counter", "destination",
     "How often it has opened or closed"},
    {"vesper_relay_throttle_ratio", "gauge", "destination",
     "Share of turns at which a try waits because too few are answered"},
    {"vesper_relay_concurrency_limit", "gauge", "destination",
     "Tries that may be in flight at once, as far as latency allows"},
    {"vesper_relay_in_flight", "gauge", "destination", "Tries in flight"},
    {"vesper_relay_retry_budget", "gauge", "destination",
     "Retries at a working destination that may go at once"},
}};

}  // namespace

std::span<const GateMetric> gate_metrics() {
  return rows;
}

void GateFigures::set(const relay::Gate& gate) {
  constexpr auto relaxed = std::memory_order_relaxed;
  state_.store(gate.breaker().state(), relaxed);
  cause_.store(gate.breaker().cause(), relaxed);
  since_.store(gate.breaker().since().time_since_epoch().count(), relaxed);
  throttle_.store(gate.throttle().probability(), relaxed);
  budget_.store(gate.budget().left(), relaxed);
  limit_.store(gate.concurrency().limit(), relaxed);
  in_flight_.store(gate.in_flight(), relaxed);
}

void GateFigures::expose(std::string& out, Instant now,
                         std::span<const std::pair<std::string_view, const GateFigures*>> gates) {
  for (const GateMetric& metric : rows) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", metric.name, metric.help, metric.name,
                       metric.kind);
    for (const auto& [destination, gate] : gates) gate->expose_one(out, metric, destination, now);
  }
}

void GateFigures::expose_one(std::string& out, const GateMetric& metric,
                             std::string_view destination, Instant now) const {
  const auto line = [&](std::string_view label, auto value) {
    out += fmt::format("{}{{destination=\"{}\"{}}} {}\n", metric.name, destination, label, value);
  };
  switch (static_cast<Row>(&metric - rows.data())) {
    case state:
      for (const auto s : {BreakerState::closed, BreakerState::open, BreakerState::half_open})
        line(fmt::format(",state=\"{}\"", name_of(s)), s == state_.load() ? 1 : 0);
      return;
    case cause:
      for (const auto c : {BreakerCause::none, BreakerCause::faults, BreakerCause::slow,
                           BreakerCause::stalled, BreakerCause::told})
        line(fmt::format(",cause=\"{}\"", name_of(c)), c == cause_.load() ? 1 : 0);
      return;
    case seconds:
      return line("",
                  std::chrono::duration<double>(now - Instant{Duration{since_.load()}}).count());
    case changes:
      return line("", changes_.load());
    case throttle:
      return line("", throttle_.load());
    case limit:
      return line("", limit_.load());
    case in_flight:
      return line("", in_flight_.load());
    case budget:
      return line("", budget_.load());
  }
}

}  // namespace vesper
