#include "stages/relay/concurrency.hpp"

#include <gtest/gtest.h>

#include "stages/relay/rig_for_tests.hpp"

namespace vesper::relay {
namespace {

constexpr Instant start{1h};

/// A destination with some servers of its own: what exceeds them queues there.
Destined with_servers(std::uint32_t servers, Duration takes) {
  return [=](Instant, std::uint32_t busy, Random& random) -> Service {
    const double queue = std::max(1.0, (busy + 1.0) / servers);
    const double noise = 0.8 + 0.4 * random.unit();
    return {
        Duration{static_cast<Duration::rep>(static_cast<double>(takes.count()) * queue * noise)},
        TryEnd::delivered,
        {}};
  };
}

TEST(Concurrency, GrowsQuicklyToAllAHealthyDestinationIsAllowed) {
  Evening evening{{}, 1, ill_between(start, start, {})};
  evening.play_until(start + 1s);
  EXPECT_EQ(evening.gate.concurrency().limit(), 64u);
}

// 100 a second and no more: 64 in flight would wait 640 ms. A quarter of it keeps it as busy.
TEST(Concurrency, FindsWhatAQueueingDestinationCanTake) {
  Evening evening{{}, 1, with_servers(1, 10ms)};
  evening.play_until(start + 60s);
  double limit = 0;
  for (int i = 0; i < 100; ++i) {
    evening.play_for(500ms);
    limit += evening.gate.concurrency().limit() / 100.0;
  }
  EXPECT_LE(limit, 40);
  EXPECT_GE(evening.delivered_in(start + 60s, start + 110s), 5000u * 9 / 10);
  EXPECT_TRUE(evening.changes.empty());
}

// Negative control: an AIMD that never decreases is found out by the same measure.
TEST(Concurrency, WithoutDecreaseIsFoundOut) {
  Gate::Rule rule;
  rule.concurrency.decrease = 1;
  Evening evening{rule, 1, with_servers(1, 10ms)};
  evening.play_until(start + 60s);
  EXPECT_EQ(evening.gate.concurrency().limit(), 64u);
}

TEST(Concurrency, GoesDownWhereMoreThanALittleIsTurnedAway) {
  Evening evening{{}, 1, [](Instant, std::uint32_t busy, Random&) -> Service {
                    if (busy >= 10) return {1ms, TryEnd::overloaded, {}};
                    return {};
                  }};
  evening.play_until(start + 60s);
  EXPECT_LE(evening.gate.concurrency().limit(), 20u);
  EXPECT_GE(evening.delivered_in(start + 10s, start + 60s), 50u * 500 / 2);
  const double tries = static_cast<double>(evening.started_in(start + 10s, start + 60s));
  EXPECT_LE(tries, 1.15 * static_cast<double>(evening.delivered_in(start + 10s, start + 60s)));
}

TEST(Concurrency, DoesNotGrowWhileIdle) {
  Concurrency concurrency{{}};
  Instant now{1h};
  concurrency.restart(now, 4, false);
  for (int i = 0; i < 10'000; ++i, now += 100ms) {
    concurrency.started(1);
    concurrency.answered(now + 20ms, now, true);
  }
  EXPECT_EQ(concurrency.limit(), 4u);
}

TEST(Concurrency, StaysBetweenItsBoundsWhateverComes) {
  Random random{3};
  for (std::uint32_t most : {1u, 2u, 64u, 1024u}) {
    Concurrency concurrency{{.most = most}};
    Instant now{1h};
    for (int i = 0; i < 200'000; ++i) {
      now += Duration{static_cast<Duration::rep>(random.below(20'000'000))};
      const Instant began = now - Duration{static_cast<Duration::rep>(random.below(3'000'000'000))};
      concurrency.started(static_cast<std::uint32_t>(random.below(most) + 1));
      random.chance(0.1) ? concurrency.overloaded(now, began)
                         : concurrency.answered(now, began, random.chance(0.1));
      if (random.chance(0.001)) concurrency.restart(now, 4, random.chance(0.5));
      ASSERT_GE(concurrency.limit(), 1u);
      ASSERT_LE(concurrency.limit(), most);
    }
  }
}

TEST(Quickness, IsNotRaisedByWhatItMayCauseItself) {
  Quickness quickness;
  for (int i = 0; i < 8; ++i) quickness.alone(20ms);
  for (int i = 0; i < 1000; ++i) quickness.among(2s);
  EXPECT_EQ(quickness.typical(), 20ms);
  for (int i = 0; i < 3; ++i) quickness.alone(2s);
  EXPECT_EQ(quickness.typical(), 20ms);
  quickness.alone(2s);
  EXPECT_EQ(quickness.typical(), 2s);
  quickness.among(300ms);
  EXPECT_EQ(quickness.slow_from(250ms, 4), 1200ms);
}

}  // namespace
}  // namespace vesper::relay
