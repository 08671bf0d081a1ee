#include "stages/admission/limits.hpp"

#include <algorithm>

namespace vesper::admission {

RateLimits RateLimits::over(const RateLimits& other) const {
  RateLimits out = *this;
  const auto fill = [](auto& mine, const auto& theirs) {
    if (!mine) mine = theirs;
  };
  fill(out.patient_per_minute, other.patient_per_minute);
  fill(out.caller_per_second, other.caller_per_second);
  fill(out.trial_per_second, other.trial_per_second);
  fill(out.patient_burst, other.patient_burst);
  fill(out.patient_per_day, other.patient_per_day);
  fill(out.trial_burst, other.trial_burst);
  return out;
}

bool RateLimits::any() const {
  return patient_per_minute.value_or(0) > 0 || caller_per_second.value_or(0) > 0 ||
         trial_per_second.value_or(0) > 0 || patient_per_day.value_or(0) > 0;
}

DoorRules door_rules(const DoorLimits& limits) {
  DoorRules rules;
  rules.enabled = limits.enabled;
  rules.loop.normal_max = limits.wait_max;
  rules.loop.overloaded_max = std::min(limits.wait_overloaded_max, limits.wait_max);
  rules.journal.normal_max = limits.journal_wait_max;
  rules.journal_late_max = 2 * limits.journal_wait_max;
  rules.journal.overloaded_max =
      std::min(limits.journal_wait_overloaded_max, limits.journal_wait_max);
  return rules;
}

ReadRules read_rules(const DoorLimits& limits) {
  ReadRules rules;
  rules.enabled = limits.enabled;
  rules.wait = door_rules(limits).loop;
  rules.refusal_share = limits.refusal_share_percent / 100.0;
  return rules;
}

RateLimits limits_of(const Rates& rates) {
  RateLimits out;
  out.patient_per_minute = rates.patient_per_minute;
  out.trial_per_second = rates.trial_per_second;
  out.patient_per_day = rates.patient_per_day;
  return out;
}

RateLimits Limits::for_trial(std::string_view trial, const Rates* document) const {
  RateLimits out = document == nullptr ? standard : limits_of(*document).over(standard);
  const auto own = trials.find(trial);
  return own == trials.end() ? out : own->second.over(out);
}

double Limits::weight_of(std::string_view trial) const {
  const auto own = weights.find(trial);
  return own == weights.end() ? 1 : own->second;
}

}  // namespace vesper::admission
