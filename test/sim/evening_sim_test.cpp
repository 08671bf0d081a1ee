// Goal: promises 1 to 3 hold through power loss, disk stalls, lost messages and a failing platform.
// Method: the real ingest, commit and delivery flows over simulated ports, one thread, virtual
// time; the seed picks every fault. A failing seed is printed and replays exactly.
#include <gtest/gtest.h>

#include <cstdlib>

#include "evening.hpp"

namespace vesper::sim {
namespace {

std::uint64_t count_from(const char* variable, std::uint64_t standard) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : standard;
}

TEST(EveningSim, PromisesHoldForEverySeed) {
  const std::uint64_t first = count_from("VESPER_SIM_SEED", 1),
                      seeds = count_from("VESPER_SIM_SEEDS", 500);
  std::uint64_t acknowledged = 0, refused = 0, restarts = 0, tries = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const Findings findings = play(evening_of(seed));
    acknowledged += findings.acknowledged, refused += findings.refused;
    restarts += findings.restarts, tries += findings.tries;
    for (const auto& violation : findings.violations)
      ADD_FAILURE() << violation << "\n  replay: VESPER_SIM_SEED=" << seed << " VESPER_SIM_SEEDS=1";
  }
  EXPECT_GT(acknowledged, seeds);
  std::printf("  %llu evenings: %llu tries, %llu acknowledged, %llu refused, %llu power losses\n",
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(tries),
              static_cast<unsigned long long>(acknowledged),
              static_cast<unsigned long long>(refused), static_cast<unsigned long long>(restarts));
}

TEST(EveningSim, EqualSeedsGiveEqualTraces) {
  for (std::uint64_t seed : {3u, 17u, 99u}) {
    const Findings one = play(evening_of(seed)), two = play(evening_of(seed));
    EXPECT_EQ(one.trace_hash, two.trace_hash) << seed;
    EXPECT_NE(one.trace_hash, play(evening_of(seed + 1)).trace_hash) << seed;
  }
}

// Negative control: a server that says 201 before the sync must be found out.
TEST(EveningSim, AcknowledgingBeforeCommitIsFoundOut) {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Evening evening = evening_of(seed);
    evening.power_losses = 8;
    evening.disk.stall_share = 0.3;
    evening.disk.acknowledge_before_sync = true;
    found += !play(evening).violations.empty();
  }
  EXPECT_GE(found, 15);
}

// Negative control: a platform that forgets keys shows that repeats really reach it.
TEST(EveningSim, APlatformWithoutKeysSeesDoubleEffects) {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Evening evening = evening_of(seed);
    evening.upstream.lost_reply_share = 0.3;
    evening.upstream.dead = false;
    evening.upstream.forgets_keys = true;
    found += !play(evening).violations.empty();
  }
  EXPECT_GE(found, 8);
}

}  // namespace
}  // namespace vesper::sim
