#include "io/clock/system_clock.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <exception>

namespace vesper {
namespace {

TEST(SystemClock, MonotonicTimeNeverRunsBackwards) {
  SystemClock clock;
  Instant last = clock.now();
  for (int i = 0; i < 10'000; ++i) {
    const Instant now = clock.now();
    ASSERT_LE(last, now);
    last = now;
  }
}

TEST(SystemClock, WallTimeIsAfterThisWasWritten) {
  EXPECT_GT(SystemClock{}.wall(), std::chrono::sys_days{std::chrono::year{2025} / 1 / 1});
}

// Runs sleep_until(now + delay); `cancel` asks it to stop once it waits.
bool slept(Duration delay, bool cancel, Duration& took) {
  SystemClock clock;
  asio::io_context context{1};
  asio::cancellation_signal signal;
  bool result = false;
  const Instant begun = clock.now();
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> {
        if (cancel) asio::post(context, [&] { signal.emit(asio::cancellation_type::terminal); });
        result = co_await clock.sleep_until(begun + delay);
      },
      asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
      }));
  context.run();
  took = clock.now() - begun;
  return result;
}

TEST(SystemClock, SleepsNoLessThanAsked) {
  Duration took{};
  EXPECT_TRUE(slept(2ms, false, took));
  EXPECT_GE(took, 2ms);
}

TEST(SystemClock, SleepIntoThePastCompletesAtOnce) {
  Duration took{};
  EXPECT_TRUE(slept(-1h, false, took));
}

TEST(SystemClock, CancelledSleepSaysSo) {
  Duration took{};
  EXPECT_FALSE(slept(1h, true, took));
}

}  // namespace
}  // namespace vesper
