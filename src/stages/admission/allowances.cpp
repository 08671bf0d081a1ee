#include "stages/admission/allowances.hpp"

#include <cmath>

namespace vesper::admission {
namespace {

BucketRule rule_of(std::optional<double> rate, double seconds,
                   std::optional<std::uint32_t> burst = {}) {
  return bucket_rule(rate.value_or(0), seconds, burst.value_or(0));
}

}  // namespace

BucketRule bucket_rule(double rate, double seconds, std::uint32_t burst) {
  constexpr std::uint64_t burst_least = 30;
  const auto standard = static_cast<std::uint64_t>(std::min(rate, 1e9));
  return BucketRule::of(rate / seconds, burst > 0 ? burst : std::max(burst_least, standard));
}

std::uint64_t Allowances::name_of(std::string_view what, std::string_view a, std::string_view b,
                                  AllowanceKind kind) const {
  SipHash hash{seed_};
  hash.add(what);
  hash.add(a);
  hash.add(b);
  hash.add(static_cast<std::uint64_t>(kind));
  return hash.finish();
}

Taken Allowances::take(const Names& names, AllowanceKind kind, const RateLimits& limits,
                       Instant now, WallTime wall) {
  Taken taken;
  Charge& charge = taken.charge;
  const auto refuse = [&](OverRate why, Duration wait) {
    give_back(charge, now, wall);
    return Taken{why, wait, {}};
  };
  const QuotaRule quota{
      kind == AllowanceKind::submissions && names.patient ? limits.patient_per_day.value_or(0) : 0};
  const BucketRule own = names.patient
                             ? rule_of(limits.patient_per_minute, 60, limits.patient_burst)
                             : rule_of(limits.caller_per_second, 1);
  const BucketRule all =
      names.trial.empty() ? BucketRule{} : rule_of(limits.trial_per_second, 1, limits.trial_burst);
  if (quota.most > 0 || !own.unlimited()) {
    const std::uint64_t name = names.patient ? name_of("patient", names.trial, names.subject, kind)
                                             : name_of("caller", names.issuer, names.subject, kind);
    if (quota.most > 0) {
      const auto counted = quotas_.update(name, quota_at_rest(wall), [&](UsedAllowance used) {
        return count_one(used, wall, quota);
      });
      if (!counted.changed) return refuse(OverRate::patient_day, wait_for_quota(wall));
      charge.quota = name;
    }
    if (!own.unlimited()) {
      if (const Duration wait = take_from(buckets_, name, own, now); wait > Duration::zero())
        return refuse(names.patient ? OverRate::patient : OverRate::caller, wait);
      charge.own = name;
      charge.own_interval = own.interval;
    }
  }
  if (!all.unlimited()) {
    const std::uint64_t trial = name_of("trial", names.trial, {}, kind);
    if (const Duration wait = take_from(buckets_, trial, all, now); wait > Duration::zero())
      return refuse(OverRate::trial, wait + book_slot(buckets_, trial, all, now));
    charge.trial = trial;
    charge.trial_interval = all.interval;
  }
  return taken;
}

void Allowances::give_back(const Charge& charge, Instant now, WallTime wall) {
  if (charge.quota != 0)
    (void)quotas_.update(charge.quota, quota_at_rest(wall),
                         [](UsedAllowance used) { return std::optional{uncount_one(used)}; });
  const auto back = [&](std::uint64_t name, std::uint64_t interval) {
    if (name != 0)
      (void)buckets_.update(name, ticks_of(now), [&](UsedAllowance used) {
        return std::optional{give_back_one(used, {interval, 1})};
      });
  };
  back(charge.own, charge.own_interval);
  back(charge.trial, charge.trial_interval);
}

}  // namespace vesper::admission
