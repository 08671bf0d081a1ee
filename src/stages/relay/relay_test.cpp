#include <gtest/gtest.h>

#include <deque>

#include "base/random.hpp"
#include "stages/relay/backoff.hpp"
#include "stages/relay/pacer.hpp"

namespace vesper::relay {
namespace {

TEST(Backoff, SpreadsOverTheWholeRangeAndNeverPassesTheCap) {
  const Backoff backoff{.base = 100ms, .cap = 10s};
  Random random{7};
  for (std::uint32_t attempts = 1; attempts < 40; ++attempts) {
    Duration least = 1h, most{};
    for (int i = 0; i < 2000; ++i) {
      const Duration d = backoff.delay(attempts, random.unit());
      least = std::min(least, d);
      most = std::max(most, d);
    }
    EXPECT_LT(least, backoff.ceiling(attempts) / 50);
    EXPECT_GT(most, backoff.ceiling(attempts) * 49 / 50);
    EXPECT_LT(most, 10s);
  }
}

TEST(Backoff, ReturnsBetweenRetryAfterAndAFifthMore) {
  EXPECT_EQ(spread_retry_after(10s, 0.0), 10s);
  EXPECT_LE(spread_retry_after(10s, 0.999), 12s);
}

// Goal: no span of any length holds more starts than rate * span + burst.
TEST(Pacer, HoldsTheRateInEverySpan) {
  constexpr double rate = 50, burst = 5;
  Pacer pacer{rate, burst};
  Random random{11};
  std::deque<Instant> starts;
  Instant now{1h};
  for (int i = 0; i < 20'000; ++i) {
    now += Duration{static_cast<Duration::rep>(random.below(20'000'000))};
    if (random.chance(0.001)) now += 3s;
    if (!pacer.may_start(now)) continue;
    pacer.start(now);
    starts.push_back(now);
    while (now - starts.front() > 2s) starts.pop_front();
    for (std::size_t k = 0; k < starts.size(); ++k) {
      const double span = std::chrono::duration<double>(now - starts[k]).count();
      ASSERT_LE(static_cast<double>(starts.size() - k), rate * span + burst + 0.001);
    }
  }
  EXPECT_GT(starts.size(), 60u);
}

TEST(Pacer, UsesTheWholeRate) {
  Pacer pacer{1000, 1};
  Instant now{1h};
  int count = 0;
  for (const Instant end = now + 10s; now < end; now = std::max(now + 1ns, pacer.next(now)))
    if (pacer.may_start(now)) {
      pacer.start(now);
      ++count;
    }
  EXPECT_NEAR(count, 10'000, 1);
}

TEST(Pacer, WithoutARateNeverWaits) {
  Pacer pacer{0, 0};
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(pacer.may_start(Instant{1s}));
    pacer.start(Instant{1s});
  }
}

}  // namespace
}  // namespace vesper::relay
