#include "tasks/task_scope.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include "sim/sim_clock.hpp"
#include "tasks/task_thread.hpp"

namespace vesper {
namespace {

struct Fixture {
  sim::World world{7};
  asio::io_context context;
  sim::SimClock clock{world};
  std::shared_ptr<TaskRegistry> registry = std::make_shared<TaskRegistry>(&clock);
  TaskScope root{registry, "vesper"};

  void run_for(Duration length) {
    const Instant until = world.now() + length;
    do {
      context.restart();
      while (context.poll() > 0) context.restart();
    } while (world.step(until));
  }
};

asio::awaitable<void> sleep(Clock& clock, Duration length, bool& finished) {
  co_await asio::this_coro::throw_if_cancelled(false);
  finished = co_await clock.sleep_until(clock.now() + length);
}

TEST(TaskScope, WorkIsListedWhileItRunsAndGoneWhenItEnds) {
  Fixture f;
  bool finished = false;
  f.root.spawn(f.context.get_executor(), "sleeper", for_ever, sleep(f.clock, 5s, finished));
  f.run_for(1s);
  ASSERT_EQ(f.registry->tasks().size(), 1u);
  EXPECT_STREQ(f.registry->tasks()[0].name, "sleeper");
  EXPECT_TRUE(
      std::string_view{f.registry->tasks()[0].created.file_name()}.ends_with("scope_test.cpp"));
  f.run_for(5s);
  EXPECT_TRUE(finished);
  EXPECT_EQ(f.root.live(), 0u);
  EXPECT_TRUE(f.registry->tasks().empty());
}

TEST(TaskScope, WorkThatTakesItsRecordSaysWhereItWaits) {
  Fixture f;
  f.root.spawn(f.context.get_executor(), "worker", for_ever,
               [&](TaskRecord* task) -> asio::awaitable<void> {
                 const Waiting waiting{task, "clock.sleep", f.clock.now()};
                 (void)co_await f.clock.sleep_until(f.clock.now() + 1s);
               });
  f.run_for(500ms);
  EXPECT_STREQ(f.registry->tasks().at(0).site, "clock.sleep");
  f.run_for(1s);
  EXPECT_EQ(f.root.live(), 0u);
}

TEST(TaskScope, CancelReachesThePartsAndWhatWasOnlyBegun) {
  Fixture f;
  TaskScope part = f.root.part("part");
  bool one = true, two = true, told = false;
  f.root.spawn(f.context.get_executor(), "one", for_ever, sleep(f.clock, 100s, one));
  part.spawn(f.context.get_executor(), "two", for_ever, sleep(f.clock, 100s, two));
  part.on_cancel([&] { told = true; });
  f.run_for(1s);
  EXPECT_EQ(f.root.live(), 2u);
  f.root.cancel();
  f.run_for(1s);
  EXPECT_EQ(f.root.live(), 0u);
  EXPECT_FALSE(one);
  EXPECT_FALSE(two);
  EXPECT_TRUE(told);
}

TEST(TaskScope, CloseWaitsForTheEndAndTellsWhenItDoesNotCome) {
  Fixture f;
  bool finished = true, closed = false, stubborn = true;
  f.root.spawn(f.context.get_executor(), "sleeper", for_ever, sleep(f.clock, 100s, finished));
  TaskScope outside{"outside"};
  outside.spawn(f.context.get_executor(), "closer", for_ever,
                [&](TaskRecord*) -> asio::awaitable<void> {
                  closed = co_await f.root.close(f.clock, Deadline{f.clock.now() + 1s});
                });
  f.run_for(1s);
  EXPECT_TRUE(closed);
  f.root.spawn(f.context.get_executor(), "deaf", for_ever,
               [&](TaskRecord*) -> asio::awaitable<void> {
                 const Instant end = f.clock.now() + 50s;
                 co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
                 (void)co_await f.clock.sleep_until(end);
               });
  outside.spawn(f.context.get_executor(), "closer", for_ever,
                [&](TaskRecord*) -> asio::awaitable<void> {
                  stubborn = !co_await f.root.close(f.clock, Deadline{f.clock.now() + 1s});
                });
  f.run_for(2s);
  EXPECT_TRUE(stubborn);
  EXPECT_EQ(f.root.live(), 1u);
}

TEST(TaskScope, CallRunsElsewhereAndComesBack) {
  Fixture f;
  asio::io_context other;
  TaskScope there = f.root.on_thread("other");
  int got = 0;
  f.root.spawn(f.context.get_executor(), "asker", for_ever,
               [&](TaskRecord*) -> asio::awaitable<void> {
                 got = co_await there.call(other.get_executor(), "answerer", for_ever,
                                           []() -> asio::awaitable<int> { co_return 42; }());
               });
  f.run_for(1ms);
  EXPECT_EQ(there.live(), 1u);
  other.run();
  f.run_for(1ms);
  EXPECT_EQ(got, 42);
  EXPECT_EQ(there.live(), 0u);
}

TEST(TaskScope, ADestroyedExecutorEndsItsTasks) {
  sim::World world{7};
  TaskScope root{"vesper"};
  bool finished = false;
  {
    asio::io_context context;
    sim::SimClock clock{world};
    root.spawn(context.get_executor(), "sleeper", for_ever, sleep(clock, 5s, finished));
    while (context.poll() > 0) context.restart();
    EXPECT_EQ(root.live(), 1u);
  }
  EXPECT_EQ(root.live(), 0u);
  EXPECT_FALSE(finished);
}

TEST(TaskScope, AThreadIsListedUntilItIsJoined) {
  auto registry = std::make_shared<TaskRegistry>();
  TaskScope root{registry, "vesper"};
  {
    const TaskThread thread{root, "thread", "vesper-test",
                            [](const std::stop_token& stop, TaskRecord* task) {
                              task->mark("waiting", Instant{1s});
                              while (!stop.stop_requested()) {
                              }
                            }};
    EXPECT_EQ(registry->live(), 1u);
  }
  EXPECT_EQ(registry->live(), 0u);
}

using ScopeDeathTest = testing::Test;
TEST(ScopeDeathTest, AnExceptionThatLeavesATaskIsABug) {
  EXPECT_DEATH(
      {
        asio::io_context context;
        TaskScope root{"vesper"};
        root.spawn(context.get_executor(), "thrower", for_ever,
                   [](TaskRecord*) -> asio::awaitable<void> {
                     throw std::runtime_error("no");
                     co_return;
                   });
        context.run();
      },
      "");
}

}  // namespace
}  // namespace vesper
