#include "io/metrics/metric_table.hpp"

#include <algorithm>
#include <bit>

#include "ports/telemetry.hpp"

namespace vesper {
namespace {

#define X(enumerator, name, labels, help) MetricRow{name, labels, help},
constexpr MetricRow counters[] = {VESPER_COUNTERS(X)};
constexpr MetricRow gauges[] = {VESPER_GAUGES(X)};
constexpr MetricRow histograms[] = {VESPER_HISTOGRAMS(X)};
#undef X

constexpr auto bounds = [] {
  std::array<Duration, bucket_count> out{};
  std::int64_t decade_ns = 10'000;
  for (std::size_t i = 0; i < bucket_count; i += 3, decade_ns *= 10) {
    out[i] = Duration{decade_ns};
    out[i + 1] = Duration{decade_ns * 2};
    out[i + 2] = Duration{decade_ns * 5};
  }
  return out;
}();
static_assert(bounds.front() == 10us && bounds.back() == 50'000s);

// For each bit width the first bucket that can hold such a value: at most four steps are left.
constexpr auto first_bucket = [] {
  std::array<std::uint8_t, 65> out{};
  for (std::size_t width = 1; width <= 64; ++width) {
    const std::uint64_t least = 1ull << (width - 1);
    std::uint8_t i = 0;
    while (i < bucket_count && static_cast<std::uint64_t>(bounds[i].count()) < least) ++i;
    out[width] = i;
  }
  return out;
}();

}  // namespace

std::span<const MetricRow> counter_rows() {
  return counters;
}
std::span<const MetricRow> gauge_rows() {
  return gauges;
}
std::span<const MetricRow> histogram_rows() {
  return histograms;
}
std::span<const Duration, bucket_count> bucket_bounds() {
  return bounds;
}

std::size_t bucket_of(Duration value) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
  std::size_t i = first_bucket[static_cast<std::size_t>(std::bit_width(ns))];
  while (i < bucket_count && static_cast<std::uint64_t>(bounds[i].count()) < ns) ++i;
  return i;
}

}  // namespace vesper
