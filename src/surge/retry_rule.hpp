#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/random.hpp"
#include "base/time.hpp"

namespace vesper::surge {

/// What a client does when it was refused or not answered.
enum class RetryHabit : std::uint8_t {
  none,      ///< one try a diary
  told,      ///< returns between Retry-After and 1.2 times it; without one, backs off with jitter
  at_once,   ///< bad: no pause at all
  doubling,  ///< bad: 1 s, 2 s, 4 s, ... whatever it was told, without jitter
  together   ///< bad: everybody returns at the next full five seconds
};
[[nodiscard]] std::optional<RetryHabit> retry_habit_named(std::string_view name);

/// When a diary is tried again.
///   Bounds: tries_max tries a diary, then it is given up.
struct RetryRule {
  RetryHabit habit = RetryHabit::none;
  std::uint32_t tries_max = 20;

  /// The moment of the next try; nothing: given up.
  ///   Units: `now` and the result since the start; `tries` so far, at least 1.
  [[nodiscard]] std::optional<Duration> again(Duration now, std::uint32_t tries,
                                              std::optional<std::uint32_t> retry_after_s,
                                              Random& random) const;
};

}  // namespace vesper::surge
