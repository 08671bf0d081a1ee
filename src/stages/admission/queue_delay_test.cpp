#include "stages/admission/queue_delay.hpp"

#include <gtest/gtest.h>

namespace vesper::admission {
namespace {

constexpr Instant start{1000s};
constexpr QueueDelay::Rules rules{
    .normal_max = 80ms, .overloaded_max = 10ms, .standing = 5ms, .interval = 100ms, .hold = 1s};

// Observes `delay` each millisecond of [from, to).
void standing(QueueDelay& queue, Duration delay, Duration from, Duration to) {
  for (Duration t = from; t < to; t += 1ms) queue.observe(delay, start + t);
}

TEST(QueueDelay, IsNormalBeforeAnythingWasSeen) {
  QueueDelay queue{rules};
  EXPECT_EQ(queue.limit(start), 80ms);
  EXPECT_EQ(queue.limit(start + 24h), 80ms);
}

TEST(QueueDelay, AWholeIntervalOfStandingDelayIsOverload) {
  QueueDelay queue{rules};
  standing(queue, 6ms, 0ms, 201ms);
  EXPECT_EQ(queue.limit(start + 201ms), 10ms);
}

TEST(QueueDelay, DelayAtTheEdgeIsNoOverload) {
  QueueDelay queue{rules};
  standing(queue, 5ms, 0ms, 1s);
  EXPECT_FALSE(queue.overloaded(start + 1s));
}

TEST(QueueDelay, ABurstWhoseFirstRequestFoundNobodyIsNoOverload) {
  QueueDelay queue{rules};
  for (Duration second = 0s; second < 10s; second += 100ms)
    for (int i = 0; i < 60; ++i) queue.observe(i * 1ms, start + second + i * 1ms);
  EXPECT_FALSE(queue.overloaded(start + 10s));
}

TEST(QueueDelay, ReturnsToNormalOnceTheHoldIsOver) {
  QueueDelay queue{rules};
  standing(queue, 50ms, 0ms, 250ms);
  EXPECT_TRUE(queue.overloaded(start + 250ms));
  standing(queue, 0ms, 250ms, 1400ms);
  EXPECT_FALSE(queue.overloaded(start + 1400ms));
}

TEST(QueueDelay, StaysOverloadedWhileTheDelayStands) {
  QueueDelay queue{rules};
  standing(queue, 50ms, 0ms, 10s);
  EXPECT_TRUE(queue.overloaded(start + 10s));
}

TEST(QueueDelay, TheLimitFallsWhileTheDelayStands) {
  QueueDelay queue{rules};
  standing(queue, 20ms, 0ms, 51ms);
  EXPECT_EQ(queue.limit(start + 50ms), 45ms);
  queue.observe(5ms, start + 51ms);
  EXPECT_EQ(queue.limit(start + 51ms), 80ms) << "it was a burst";
}

TEST(QueueDelay, AnIntervalWithoutTrafficSaysNothing) {
  QueueDelay queue{rules};
  standing(queue, 50ms, 0ms, 99ms);
  EXPECT_EQ(queue.limit(start + 5s), 80ms);
  queue.observe(50ms, start + 5s);
  EXPECT_FALSE(queue.overloaded(start + 5s));
}

}  // namespace
}  // namespace vesper::admission
