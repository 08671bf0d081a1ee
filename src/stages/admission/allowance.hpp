#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace vesper::admission {

/// What one name has used of an allowance, in 52 bits: AllowanceTable keeps it in one word.
using UsedAllowance = std::uint64_t;
inline constexpr int used_allowance_bits = 52;
inline constexpr UsedAllowance used_allowance_max = (1ull << used_allowance_bits) - 1;

/// A token bucket: `burst` at once, then one each `interval`.
///   Units:  ticks of 256 ns since the monotonic clock began; 52 bits last 36 years.
///   Shape:  the state is the instant at which the bucket is full again (theoretical arrival time);
///           a state in the past is a full bucket, whatever it is.
///   Bounds: a rate is met to 256 ns of its interval: within 0.1 % up to 4,000 a second.
///   Source: generic cell rate algorithm, ITU-T I.371, in its virtual scheduling form.
struct BucketRule {
  std::uint64_t interval = 0;  ///< ticks from one request to the next; 0: no limit
  std::uint64_t burst = 1;

  [[nodiscard]] static constexpr BucketRule of(double per_second, std::uint64_t burst) {
    constexpr double ticks_per_second = 1e9 / 256, longest = 1e13;
    if (!(per_second > 0)) return {};
    const double interval = std::clamp(ticks_per_second / per_second + 0.5, 1.0, longest);
    return {static_cast<std::uint64_t>(interval), std::max<std::uint64_t>(1, burst)};
  }
  [[nodiscard]] constexpr bool unlimited() const { return interval == 0; }
  /// How far ahead of now the state may be for one more to be taken.
  [[nodiscard]] constexpr std::uint64_t tolerance() const {
    constexpr std::uint64_t most = used_allowance_max / 4;
    return burst - 1 > most / interval ? most : interval * (burst - 1);
  }
};

[[nodiscard]] constexpr std::uint64_t ticks_of(Instant at) {
  return static_cast<std::uint64_t>(at.time_since_epoch().count()) >> 8;
}
[[nodiscard]] constexpr Duration duration_of(std::uint64_t ticks) {
  return Duration{static_cast<Duration::rep>(ticks << 8)};
}

/// The state after one request, or nothing when the bucket is empty.
[[nodiscard]] constexpr std::optional<UsedAllowance> take_one(UsedAllowance used, std::uint64_t now,
                                                              const BucketRule& rule) {
  if (used > now + rule.tolerance()) return {};
  return std::min(std::max(used, now) + rule.interval, used_allowance_max);
}
/// How long until the bucket has room for one.
[[nodiscard]] constexpr Duration wait_for_one(UsedAllowance used, std::uint64_t now,
                                              const BucketRule& rule) {
  const std::uint64_t room_at = now + rule.tolerance();
  return used > room_at ? duration_of(used - room_at) : Duration::zero();
}
/// One that was taken is given back; a bucket never holds more than its burst.
[[nodiscard]] constexpr UsedAllowance give_back_one(UsedAllowance used, const BucketRule& rule) {
  return used > rule.interval ? used - rule.interval : 0;
}

/// How many a name may have in one half of a day, from 00:00 and from 12:00 UTC.
///   Shape:  number of the half day since 1970 above 32 bits, count below. A clock that is set back
///           stays in the half day it had reached: nobody gains.
///   Why:    decision 0212. A calendar day of any zone has its border away from the evening in at
///           least one of two days that begin twelve hours apart; who is over in both is over in
///           the half day they share, and only she is refused.
struct QuotaRule {
  std::uint32_t most = 0;  ///< 0: no limit
};
inline constexpr std::chrono::hours half_day{12};

[[nodiscard]] constexpr std::uint64_t half_day_of(WallTime at) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, at.time_since_epoch() / half_day));
}
/// States at or below it are of half days gone by.
[[nodiscard]] constexpr UsedAllowance quota_at_rest(WallTime now) {
  return half_day_of(now) << 32;
}
[[nodiscard]] constexpr std::optional<UsedAllowance> count_one(UsedAllowance used, WallTime now,
                                                               QuotaRule rule) {
  const UsedAllowance present = std::max(used, quota_at_rest(now));
  if ((present & 0xffffffff) >= rule.most) return {};
  return present + 1;
}
[[nodiscard]] constexpr Duration wait_for_quota(WallTime now) {
  const auto gone = now.time_since_epoch() % half_day;
  return std::chrono::duration_cast<Duration>(half_day - gone);
}
[[nodiscard]] constexpr UsedAllowance uncount_one(UsedAllowance used) {
  return (used & 0xffffffff) == 0 ? used : used - 1;
}

}  // namespace vesper::admission
