#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/time.hpp"

namespace vesper {

/// One time series of ports/telemetry.hpp, as text.
struct MetricRow {
  std::string_view name, labels, help;
};

/// The tables of ports/telemetry.hpp; a row's index is its enumerator's value.
[[nodiscard]] std::span<const MetricRow> counter_rows();
[[nodiscard]] std::span<const MetricRow> gauge_rows();
[[nodiscard]] std::span<const MetricRow> histogram_rows();

/// Upper bounds of every histogram's buckets: 1, 2, 5 a decade from 10 us to 50,000 s.
///   Why: one ladder serves a 20 us parse and a delivery that waited out a dead weekend; three
///   steps a decade keep a quantile within a factor of 1.6.
inline constexpr std::size_t bucket_count = 30;
[[nodiscard]] std::span<const Duration, bucket_count> bucket_bounds();

/// Index of the first bucket whose bound is at least `value`; bucket_count when none is.
[[nodiscard]] std::size_t bucket_of(Duration value);

}  // namespace vesper
