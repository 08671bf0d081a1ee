// Goal: every limiter and breaker keeps its promise in a whole server under swarm faults.
// Method: the real intake, admission, keys, commit and delivery over simulated ports, one thread,
// virtual time; the seed picks load, faults and limits. A failing seed is printed and replays
// exactly. Each limiter has a control: taken out or set wrongly, it must be found out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "rush.hpp"

namespace vesper::sim {
namespace {

std::uint64_t count_from(const char* variable, std::uint64_t standard) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : standard;
}

TEST(RushSim, LimitersKeepTheirPromisesForEverySeed) {
  const std::uint64_t first = count_from("VESPER_SIM_SEED", 1),
                      seeds = count_from("VESPER_SIM_SEEDS", 24);
  RushFindings sum;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const RushFindings found = play(rush_of(seed));
    sum.tries += found.tries, sum.acknowledged += found.acknowledged;
    sum.refused += found.refused, sum.levels += found.levels, sum.checks += found.checks;
    std::size_t told = 0;
    for (const auto& violation : found.violations)
      if (++told <= 5)
        ADD_FAILURE() << violation << "\n  replay: VESPER_SIM_SEED=" << seed
                      << " VESPER_SIM_SEEDS=1";
  }
  EXPECT_GT(sum.acknowledged, 500 * seeds);
  std::printf(
      "  seeds %llu to %llu: %zu tries, %zu accepted, %zu refused, %zu levels, %zu judged\n",
      static_cast<unsigned long long>(first), static_cast<unsigned long long>(first + seeds - 1),
      sum.tries, sum.acknowledged, sum.refused, sum.levels, sum.checks);
}

TEST(RushSim, EqualSeedsGiveEqualTraces) {
  for (const std::uint64_t seed : {2u, 11u}) {
    const RushFindings one = play(rush_of(seed)), two = play(rush_of(seed));
    EXPECT_EQ(one.trace_hash, two.trace_hash) << seed;
    EXPECT_NE(one.trace_hash, play(rush_of(seed + 1)).trace_hash) << seed;
  }
}

// The limiters one by one. Each evening has the one fault that needs the limiter; as it is built,
// every check passes, and broken as the control says, the suite finds it out.
struct Control {
  const char* name;
  void (*happens)(Rush&);
  void (*breaks)(NodeSettings&, DiskFaults&);
  const char* found_by;  ///< how the violation begins
};

Span seconds(double from, double to) {
  const auto at = [](double s) { return Instant{Duration{static_cast<std::int64_t>(1e9 * s)}}; };
  return {at(from), at(to)};
}
void quiet(Rush&) {}
void launch(Rush& rush) {
  rush.launch = seconds(5, 7), rush.launch_times = 5;
}
void stall(Rush& rush) {
  rush.stalled = seconds(5, 12);
}
void limit(Rush& rush) {
  rush.greedy = rush.limited = true;
  auto& standard = rush.settings.limits.standard;
  standard.patient_per_minute = 240, standard.patient_burst = 40, standard.patient_per_day = 60;
}
void limit_trial(Rush& rush) {
  launch(rush);
  rush.trial_rate = true;
  auto& of_a = rush.settings.limits.trials["RUSH-A"];
  of_a.trial_per_second = 150, of_a.trial_burst = 100;
}
void forge(Rush& rush) {
  rush.forging = seconds(5, 8);
  auto& limits = rush.settings.limits;
  limits.cold_checks_percent = limits.cold_checks_crowded_percent = 1;
}
void lose_keys(Rush& rush) {
  rush.keys_gone = seconds(4, 11);
}
template <Illness illness>
void fall_ill(Rush& rush) {
  rush.ill = seconds(4, 14), rush.illness = illness;
}
void leave(Rush& rush) {
  rush.leaves = 0.3, rush.paced = seconds(4, 14), rush.pace_per_s = 60;
}
template <class Change>
void set_gate(NodeSettings& node, Change change) {
  node.gate = [change, promised = node.gate](const UpstreamSettings& settings) {
    relay::Gate::Rule rule = promised(settings);
    change(rule);
    return rule;
  };
}

const Control controls[] = {
    {"NoDoor", launch,
     [](NodeSettings& node, DiskFaults&) { node.door.enabled = node.line.enabled = false; },
     "accepted late"},
    {"ADoorThatIsTooNarrow", quiet,
     [](NodeSettings& node, DiskFaults&) {
       node.door.loop.normal_max = node.door.loop.overloaded_max = 1ms;
       node.limits.fair_shares = false;
     },
     "refused though there was room"},
    {"NoSharesOfTrials", launch,
     [](NodeSettings& node, DiskFaults&) { node.limits.fair_shares = false; },
     "refused for another trial's sake"},
    {"RefusalsThatDoNotSayWhen", launch,
     [](NodeSettings& node, DiskFaults&) { node.tells_when = false; },
     "refused without Retry-After"},
    {"RatesThatAreOnlyCounted", limit,
     [](NodeSettings& node, DiskFaults&) { node.limits.dry_run = true; }, "over her rate"},
    {"QuotasThatAreNotKept", limit,
     [](NodeSettings& node, DiskFaults&) { node.limits.standard.patient_per_day.reset(); },
     "over her quota"},
    {"OneBucketForAllPatients", limit,
     [](NodeSettings& node, DiskFaults&) {
       node.limits.standard = {};
       node.limits.standard.trial_per_second = 4;
     },
     "one spends another's allowance"},
    {"ATrialsRateThatIsOnlyCounted", limit_trial,
     [](NodeSettings& node, DiskFaults&) { node.limits.dry_run = true; }, "over the trial's rate"},
    {"SignaturesWithoutABudget", forge,
     [](NodeSettings& node, DiskFaults&) { node.limits.cold_checks_percent = 100; },
     "cold checks over their budget"},
    {"LevelsThatNeverRise", stall,
     [](NodeSettings& node, DiskFaults&) { node.limits.degrade_automatically = false; },
     "the level did not rise"},
    {"LevelsThatStay", stall,
     [](NodeSettings& node, DiskFaults&) { node.degradation.calm = 1000h; },
     "the level did not come back"},
    {"LevelsThatDoNotWait", stall,
     [](NodeSettings& node, DiskFaults&) {
       for (auto& rule : node.degradation.up) rule.hold = Duration::zero();
     },
     "a level after too short a pressure"},
    {"AJournalBreakerThatNeverOpens", stall,
     [](NodeSettings& node, DiskFaults&) { node.journal_breaker.stall = 1000h; },
     "queued for a journal that stands still"},
    {"AJournalBreakerThatStaysOpen", stall,
     [](NodeSettings& node, DiskFaults&) { node.journal_breaker.heal = 1000h; },
     "the journal is back, and diaries are refused still"},
    {"KeysThatAreAskedForOnce", lose_keys,
     [](NodeSettings& node, DiskFaults&) { node.key_floor = 1000h; },
     "nobody asks for the key any more"},
    {"KeysThatAreAskedForAllTheTime", lose_keys,
     [](NodeSettings& node, DiskFaults&) { node.key_floor = 10ms; }, "keys are fetched too often"},
    {"ABreakerThatIsNeverHalfOpen", fall_ill<Illness::dead>,
     [](NodeSettings& node, DiskFaults&) {
       set_gate(node,
                [](auto& rule) { rule.breaker.probe_first = rule.breaker.probe_every = 1000h; });
     },
     "not back in service"},
    {"ABreakerThatNeverOpens", fall_ill<Illness::fails>,
     [](NodeSettings& node, DiskFaults&) {
       set_gate(node, [](auto& rule) {
         rule.breaker.streak = rule.breaker.quiet_streak = rule.breaker.volume = 1'000'000'000;
       });
     },
     "more than a few probes"},
    {"NoThrottle",
     [](Rush& rush) { launch(rush), rush.ill = seconds(3, 14), rush.illness = Illness::mostly; },
     [](NodeSettings& node, DiskFaults&) {
       set_gate(node, [](auto& rule) { rule.throttle.k = 1e9; });
     },
     "not thinned out"},
    {"NoRetryBudget", fall_ill<Illness::half>,
     [](NodeSettings& node, DiskFaults&) { node.destination.retry_share_max = 1e9; },
     "retries over their budget"},
    {"AConcurrencyThatNeverShrinks", fall_ill<Illness::queues>,
     [](NodeSettings& node, DiskFaults&) {
       set_gate(node, [](auto& rule) { rule.concurrency.decrease = 1; });
     },
     "more in flight than keeps it busy"},
    {"AcknowledgingBeforeTheSync",
     [](Rush& rush) { stall(rush), rush.crashed = seconds(5.5, 6.5); },
     [](NodeSettings&, DiskFaults& disk) { disk.acknowledge_before_sync = true; },
     "acknowledged and lost"},
    {"StoringWhatWasTakenBack", leave,
     [](NodeSettings&, DiskFaults& disk) { disk.store_the_departed = true; },
     "stored, though it was taken back"},
};

class LimiterSim : public testing::TestWithParam<Control> {};
INSTANTIATE_TEST_SUITE_P(Controls, LimiterSim, testing::ValuesIn(controls),
                         [](const auto& of) { return of.param.name; });

TEST_P(LimiterSim, IsFoundOut) {
  for (const std::uint64_t seed : {1u, 2u}) {
    Rush rush;
    rush.seed = seed;
    GetParam().happens(rush);
    for (const auto& violation : play(rush).violations)
      ADD_FAILURE() << "as it is built, seed " << seed << ": " << violation;
    rush.breaks = GetParam().breaks;
    const auto violations = play(rush).violations;
    EXPECT_TRUE(std::ranges::any_of(
        violations,
        [](const std::string& violation) { return violation.starts_with(GetParam().found_by); }))
        << "not found out, seed " << seed << "; " << violations.size() << " others"
        << (violations.empty() ? "" : ", such as: " + violations.front());
  }
}

}  // namespace
}  // namespace vesper::sim
