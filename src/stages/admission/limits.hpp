#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "model/trial.hpp"

namespace vesper::admission {

/// What callers of one trial may send. Absent: not stated here. 0: no limit.
struct RateLimits {
  std::optional<double> patient_per_minute, caller_per_second, trial_per_second;
  std::optional<std::uint32_t> patient_burst, patient_per_day, trial_burst;

  /// What is stated here, and the rest as `other` says.
  [[nodiscard]] RateLimits over(const RateLimits& other) const;
  [[nodiscard]] bool any() const;
  friend bool operator==(const RateLimits&, const RateLimits&) = default;
};

[[nodiscard]] RateLimits limits_of(const Rates& rates);

/// What a class of routes may take a second, all callers together (503 past it). 0: no limit.
struct Ceilings {
  double submissions_per_second = 0, reads_per_second = 0, exports_per_second = 0;
  friend bool operator==(const Ceilings&, const Ceilings&) = default;
};

/// The limits in force on verified names; one value that is replaced as a whole.
///   Shape:  a trial's own entry here wins over its document, which wins over `standard`.
struct Limits {
  bool dry_run = false;  ///< count what would be refused, refuse nothing
  RateLimits standard;
  std::map<std::string, RateLimits, std::less<>> trials;
  std::map<std::string, double, std::less<>> weights;  ///< of fair shares; 1 where absent
  Ceilings ceilings;
  /// Of a shard's time for signatures of tokens not seen before, in percent: while all is well, and
  /// while requests are refused for lack of room.
  std::uint32_t cold_checks_percent = 70, cold_checks_crowded_percent = 30;
  bool fair_shares = true;
  bool degrade_automatically = true;
  friend bool operator==(const Limits&, const Limits&) = default;

  [[nodiscard]] RateLimits for_trial(std::string_view trial, const Rates* document) const;
  [[nodiscard]] double weight_of(std::string_view trial) const;
};

}  // namespace vesper::admission
