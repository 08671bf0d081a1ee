#include "io/sqlite/commit_queue.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

namespace vesper {
namespace {

constexpr Instant due{10s};

// Goal: what a deadline and a client that leaves do to an entry, just before and just after the
// journal has taken it into a group.
// Method: the test plays the journal's thread step by step; no thread, no clock.
struct Queue : testing::Test {
  Queue() {
    slot = queue->acquire(10);
    turn = CommitQueue::turn_of(slot);
    asio::co_spawn(context, wait(), asio::detached);
    run();
    queue->take(waiting);
  }
  asio::awaitable<void> wait() {
    result =
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void(CommitQueue::Result)>(
            [&](CommitQueue::Handler handler) {
              queue->push(slot, std::move(handler), Deadline{due}, Instant{});
            },
            asio::use_awaitable);
  }
  void run() {
    context.restart();
    context.poll();
  }
  void commit() {
    slot->result = Committed{};
    queue->answer(waiting);
    run();
  }
  bool ended_with(StoreFault fault) const { return result && !*result && result->error() == fault; }

  std::shared_ptr<CommitQueue> queue = std::make_shared<CommitQueue>(4, 1000);
  asio::io_context context;
  CommitQueue::Slot* slot = nullptr;
  std::uint64_t turn = 0;
  std::vector<CommitQueue::Slot*> waiting;
  std::optional<CommitQueue::Result> result;
};

TEST_F(Queue, JustBeforeItsDeadlineAnEntryIsTaken) {
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_TRUE(queue->claim(slot, due - 1ns));
  commit();
  EXPECT_TRUE(result && *result);
}

TEST_F(Queue, AtItsDeadlineAnEntryIsNotTakenAnyMore) {
  EXPECT_FALSE(queue->claim(slot, due));
  run();
  EXPECT_TRUE(ended_with(StoreFault::timed_out));
  EXPECT_EQ(queue->entries(), 0u);
}

TEST_F(Queue, ADeadlineThatPassesWhileItIsCommittedIsToldAndTheCommitStays) {
  ASSERT_TRUE(queue->claim(slot, due - 1ns));
  queue->sweep(due);
  run();
  EXPECT_TRUE(ended_with(StoreFault::timed_out));
  commit();  // finds nobody, and frees the slot
  EXPECT_NE(queue->acquire(10), nullptr);
}

TEST_F(Queue, AClientThatLeavesWhileItIsQueuedTakesItBack) {
  queue->give_up(slot, turn);
  run();
  EXPECT_TRUE(ended_with(StoreFault::departed));
  EXPECT_FALSE(queue->claim(slot, due - 1s));
  EXPECT_EQ(queue->entries(), 0u);
}

TEST_F(Queue, AClientThatLeavesWhileItIsCommittedTakesNothingBack) {
  ASSERT_TRUE(queue->claim(slot, due - 1s));
  queue->give_up(slot, turn);
  run();
  EXPECT_FALSE(result);
  commit();
  EXPECT_TRUE(result && *result);
}

TEST_F(Queue, ALateDepartureHarmsNoLaterEntryOfTheSlot) {
  ASSERT_TRUE(queue->claim(slot, due - 1s));
  commit();
  result.reset();
  auto* const again = queue->acquire(10);
  ASSERT_EQ(again, slot);
  asio::co_spawn(context, wait(), asio::detached);
  run();
  queue->give_up(slot, turn);
  run();
  EXPECT_FALSE(result);
  waiting.clear();
  queue->take(waiting);
  EXPECT_TRUE(queue->claim(slot, due - 1s));
  commit();
  EXPECT_TRUE(result && *result);
}

}  // namespace
}  // namespace vesper
