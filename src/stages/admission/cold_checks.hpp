#pragma once
#include <array>
#include <cstdint>

#include "base/time.hpp"

namespace vesper::admission {

/// How much of a shard's time goes to signatures of tokens that it has not seen before.
///   Shape:  windows of 100 ms with a budget of CPU time. One half of it is for whoever comes
///           first; besides, each partition may always have its even part. Partitions are made of
///           what tokens claim and nobody has verified: a claim can move a token from one part of
///           the budget to another and do nothing else. So a flood of forged tokens, or the launch
///           of one trial, leaves the others' parts alone, and all of it leaves the rest of the
///           shard's time to tokens that are known.
///   Bounds: spending in a window <= 1.5 budgets and one check; partitions are 64.
///   Thread: one owner, a shard.
///   Why:    an ES256 signature costs as much as three whole diaries.
class ColdChecks {
 public:
  static constexpr Duration window = 100ms;

  /// May a check that costs `cost` be made now? True spends it. `percent`: of the owner's time.
  [[nodiscard]] bool admit(std::uint64_t claimed, Duration cost, std::uint32_t percent,
                           Instant now);
  /// Until the next window, for Retry-After.
  [[nodiscard]] Duration wait(Instant now) const { return began_ + window - now; }

 private:
  static constexpr std::size_t partitions = 64;
  void roll(Instant now);

  Instant began_{};
  Duration spent_{};
  std::array<Duration, partitions> parts_{};
  std::uint32_t active_ = 0, active_before_ = 0;  ///< partitions that asked in a window
};

}  // namespace vesper::admission
