#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "io/metrics/metric_table.hpp"
#include "io/metrics/thread_slot.hpp"
#include "ports/telemetry.hpp"

namespace vesper {

/// A histogram at one moment. `buckets` are not cumulative; the last one is past every bound.
struct HistogramTotals {
  std::array<std::uint64_t, bucket_count + 1> buckets{};
  std::uint64_t count = 0;
  std::int64_t sum_ns = 0;
  /// Bound of the bucket that holds the `share` quantile (0 to 1), zero when nothing was observed.
  [[nodiscard]] Duration quantile(double share) const;
};

/// Figures of this process, and their Prometheus text.
///   Shape:  counters and histograms are kept a slot a thread and added up when read; gauges once.
///   Thread: any. A count is a plain load and store on the thread's own cache lines.
class Metrics final : public Telemetry {
 public:
  void count(Counter counter, std::uint64_t n = 1) override;
  void set(Gauge gauge, std::int64_t value) override;
  void add(Gauge gauge, std::int64_t change) override;
  void observe(Histogram histogram, Duration value) override;

  [[nodiscard]] std::uint64_t value(Counter counter) const;
  [[nodiscard]] std::int64_t value(Gauge gauge) const;
  [[nodiscard]] HistogramTotals totals(Histogram histogram) const;

  /// Appends the text exposition of every metric, and of the process (CPU, memory, descriptors).
  ///   Units:  seconds and bytes.
  ///   Source: Prometheus text format 0.0.4 (content type `metrics_content_type`).
  void expose(std::string& out) const;

 private:
  static constexpr auto counters = static_cast<std::size_t>(Counter::count_);
  static constexpr auto gauges = static_cast<std::size_t>(Gauge::count_);
  static constexpr auto histograms = static_cast<std::size_t>(Histogram::count_);
  using Cell = std::atomic<std::uint64_t>;
  struct Distribution {
    std::array<Cell, bucket_count + 1> buckets{};
    Cell sum_ns{0};
  };
  struct alignas(128) Shard {
    std::array<Cell, counters> counters{};
    std::array<Distribution, histograms> histograms{};
  };
  struct alignas(64) Level {
    std::atomic<std::int64_t> value{0};
  };
  static void increase(Cell& cell, std::uint64_t n, std::size_t slot);
  void expose_histogram(std::string& out, std::size_t index) const;

  std::unique_ptr<std::array<Shard, thread_slots>> shards_ =
      std::make_unique<std::array<Shard, thread_slots>>();
  std::array<Level, gauges> gauges_{};
};

/// Of this process, from the kernel.
[[nodiscard]] std::uint64_t resident_bytes();
[[nodiscard]] std::uint64_t open_descriptors();

inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace vesper
