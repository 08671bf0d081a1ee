#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace vesper::relay {

/// Counts of the last few seconds, in ten steps: what is older than `span` is forgotten.
///   Bounds: between nine and ten tenths of `span` are remembered. No allocation.
template <std::size_t Kinds>
class Tally {
 public:
  explicit constexpr Tally(Duration span) : step_(span / steps > 1ms ? span / steps : 1ms) {}

  constexpr void add(Instant now, std::size_t kind, std::uint32_t n = 1) {
    advance(now);
    counts_[at_][kind] += n;
    sums_[kind] += n;
  }
  [[nodiscard]] constexpr std::uint32_t sum(Instant now, std::size_t kind) {
    advance(now);
    return sums_[kind];
  }
  constexpr void clear() {
    counts_ = {};
    sums_ = {};
  }
  [[nodiscard]] constexpr Duration span() const { return step_ * steps; }

 private:
  static constexpr int steps = 10;

  constexpr void advance(Instant now) {
    if (now < until_) return;
    if (now >= until_ + step_ * steps) {
      clear();
      until_ = now + step_;
      return;
    }
    for (; now >= until_; until_ += step_) {
      at_ = (at_ + 1) % steps;
      for (std::size_t kind = 0; kind < Kinds; ++kind) sums_[kind] -= counts_[at_][kind];
      counts_[at_] = {};
    }
  }

  Duration step_;
  Instant until_{};
  std::size_t at_ = 0;
  std::array<std::array<std::uint32_t, Kinds>, steps> counts_{};
  std::array<std::uint32_t, Kinds> sums_{};
};

}  // namespace vesper::relay
