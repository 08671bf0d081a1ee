#include "surge/retry_rule.hpp"

#include <algorithm>

namespace vesper::surge {
namespace {

constexpr Duration pause_max = 30s, full_seconds = 5s;

Duration doubled(std::uint32_t tries) {
  return std::min<Duration>(pause_max, 1s * (std::int64_t{1} << std::min(tries - 1, 5u)));
}

Duration times(Duration d, double factor) {
  return Duration{static_cast<std::int64_t>(static_cast<double>(d.count()) * factor)};
}

}  // namespace

std::optional<RetryHabit> retry_habit_named(std::string_view name) {
  using enum RetryHabit;
  if (name == "none") return none;
  if (name == "told") return told;
  if (name == "at-once") return at_once;
  if (name == "doubling") return doubling;
  if (name == "together") return together;
  return std::nullopt;
}

std::optional<Duration> RetryRule::again(Duration now, std::uint32_t tries,
                                         std::optional<std::uint32_t> retry_after_s,
                                         Random& random) const {
  if (tries >= tries_max) return std::nullopt;
  switch (habit) {
    case RetryHabit::none:
      return std::nullopt;
    case RetryHabit::told:
      if (retry_after_s)
        return now + times(std::chrono::seconds{*retry_after_s}, 1 + 0.2 * random.unit());
      return now + times(doubled(tries), 0.5 + random.unit());
    case RetryHabit::at_once:
      return now;
    case RetryHabit::doubling:
      return now + doubled(tries);
    case RetryHabit::together:
      return (now / full_seconds + 1) * full_seconds;
  }
  return std::nullopt;
}

}  // namespace vesper::surge
