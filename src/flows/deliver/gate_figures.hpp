#pragma once
#include <atomic>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stages/relay/gate.hpp"

namespace vesper {

/// One metric that has a row, or several, a destination.
struct GateMetric {
  std::string_view name, kind, labels, help;
};
[[nodiscard]] std::span<const GateMetric> gate_metrics();

/// What a destination's gate looks like, kept by the delivery thread, read by any.
class GateFigures {
 public:
  /// By the delivery thread alone.
  void set(const relay::Gate& gate);
  void count_change() { changes_.fetch_add(1, std::memory_order_relaxed); }

  /// Appends the gates of all destinations as Prometheus text; the names are from the
  /// configuration.
  static void expose(std::string& out, Instant now,
                     std::span<const std::pair<std::string_view, const GateFigures*>> gates);

 private:
  void expose_one(std::string& out, const GateMetric& metric, std::string_view destination,
                  Instant now) const;

  std::atomic<relay::BreakerState> state_{relay::BreakerState::closed};
  std::atomic<relay::BreakerCause> cause_{relay::BreakerCause::none};
  std::atomic<Instant::rep> since_{0};
  std::atomic<double> throttle_{0}, budget_{0};
  std::atomic<std::uint32_t> limit_{0}, in_flight_{0};
  std::atomic<std::uint64_t> changes_{0};
};

}  // namespace vesper
