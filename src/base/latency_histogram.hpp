#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/time.hpp"

namespace vesper {

/// Counts durations in log-linear buckets, so that any percentile is read with <= 1.6 % error.
///   Units:  nanoseconds, 0 to about 9 minutes; longer ones count in the last bucket.
///   Thread: one owner; merge() joins several.
///   Source: the bucket layout of HdrHistogram (64 linear steps an octave).
class LatencyHistogram {
 public:
  void record(Duration value) {
    const auto nanoseconds = static_cast<std::uint64_t>(value.count() < 0 ? 0 : value.count());
    ++counts_[index_of(nanoseconds)];
    ++total_;
    if (nanoseconds > max_) max_ = nanoseconds;
  }
  void merge(const LatencyHistogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    if (other.max_ > max_) max_ = other.max_;
  }
  /// The smallest recorded value (to bucket width) that `share` of all values do not exceed.
  [[nodiscard]] Duration percentile(double share) const {
    if (total_ == 0) return Duration::zero();
    const double wanted = share * static_cast<double>(total_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (static_cast<double>(seen) >= wanted && seen > 0)
        return Duration{static_cast<std::int64_t>(std::min(upper_of(i), max_))};
    }
    return Duration{static_cast<std::int64_t>(max_)};
  }
  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] Duration max() const { return Duration{static_cast<std::int64_t>(max_)}; }

 private:
  static constexpr unsigned step_bits = 6, octaves = 33;
  static constexpr std::size_t index_of(std::uint64_t value) {
    if (value < (1u << step_bits)) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - step_bits - 1;
    const std::size_t index = ((shift + 1) << step_bits) + (value >> shift) - (1u << step_bits);
    return index < buckets ? index : buckets - 1;
  }
  static constexpr std::uint64_t upper_of(std::size_t index) {
    if (index < (1u << step_bits)) return index;
    const auto shift = static_cast<unsigned>(index >> step_bits) - 1;
    const std::uint64_t low = ((index & ((1u << step_bits) - 1)) + (1u << step_bits));
    return ((low + 1) << shift) - 1;
  }
  static constexpr std::size_t buckets = (octaves + 1) << step_bits;
  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t total_ = 0, max_ = 0;
};

}  // namespace vesper
