#pragma once
#include <algorithm>
#include <cstdint>

#include "base/time.hpp"

namespace vesper::relay {

/// When to try again after `attempts` tries have failed.
///   Source: "full jitter": uniform over [0, min(cap, base * 2^(attempts-1))], so that a crowd that
///   failed together does not return together.
struct Backoff {
  Duration base = 500ms, cap = 30s;

  [[nodiscard]] constexpr Duration ceiling(std::uint32_t attempts) const {
    Duration d = base;
    for (std::uint32_t i = 1; i < attempts && d < cap; ++i) d += d;
    return std::min(d, cap);
  }
  /// `unit` is uniform in [0, 1).
  [[nodiscard]] constexpr Duration delay(std::uint32_t attempts, double unit) const {
    return Duration{
        static_cast<Duration::rep>(static_cast<double>(ceiling(attempts).count()) * unit)};
  }
};

/// The wait after a Retry-After: between it and 1.2 times it.
[[nodiscard]] constexpr Duration spread_retry_after(Duration asked, double unit) {
  return asked +
         Duration{static_cast<Duration::rep>(static_cast<double>(asked.count()) * 0.2 * unit)};
}

static_assert(Backoff{}.ceiling(1) == 500ms && Backoff{}.ceiling(3) == 2s);
static_assert(Backoff{}.ceiling(4'000'000'000) == 30s);
static_assert(Backoff{}.delay(2, 0.0) == 0s && Backoff{}.delay(2, 0.5) == 500ms);

}  // namespace vesper::relay
