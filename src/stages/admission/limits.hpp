#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "model/trial.hpp"
#include "stages/admission/door.hpp"
#include "stages/admission/read_line.hpp"

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

/// What is granted before anybody is known. 0: no limit.
struct AddressLimits {
  double requests_per_second = 0;
  std::uint32_t burst = 0, connections_max = 0;
  double connection_requests_per_second = 0;  ///< of each connection
  std::uint32_t connection_burst = 0;
  friend bool operator==(const AddressLimits&, const AddressLimits&) = default;
};

/// What the server takes on at once, and how long it lets anybody wait.
struct DoorLimits {
  bool enabled = true;
  Duration wait_max = 100ms, wait_overloaded_max = 20ms;  ///< for the shard
  Duration journal_wait_max = 50ms, journal_wait_overloaded_max = 15ms;
  std::uint32_t refusal_share_percent = 30;
  std::uint64_t connections_max = 16'384;                    ///< open, over all shards
  std::uint64_t bytes_in_flight_max = 256ULL * 1024 * 1024;  ///< of buffers, over all shards
  friend bool operator==(const DoorLimits&, const DoorLimits&) = default;
};

[[nodiscard]] DoorRules door_rules(const DoorLimits& limits);
[[nodiscard]] ReadRules read_rules(const DoorLimits& limits);

/// The limits in force; one value that is replaced as a whole.
///   Shape:  a trial's own entry here wins over its document, which wins over `standard`.
struct Limits {
  bool dry_run = false;  ///< count what would be refused, refuse nothing
  RateLimits standard;
  std::map<std::string, RateLimits, std::less<>> trials;
  std::map<std::string, double, std::less<>> weights;  ///< of fair shares; 1 where absent
  Ceilings ceilings;
  AddressLimits address;
  DoorLimits door;
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
