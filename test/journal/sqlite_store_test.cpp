#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <new>
#include <set>
#include <thread>

#include "contract/test_diary.hpp"
#include "journal/crash_disk.hpp"
#include "journal/test_store.hpp"
#include "stages/journal/receipt.hpp"

namespace {
[[maybe_unused]] thread_local std::uint64_t allocations = 0;
}  // namespace
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool counts_allocations = false;  // a sanitizer has its own operator new
#else
constexpr bool counts_allocations = true;
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif

namespace vesper {
namespace {

using contract::TestDiary;
using CommitResult = std::expected<Committed, StoreFault>;

class SqliteStoreTest : public testing::Test {
 protected:
  CommitResult commit(const TestDiary& diary, std::optional<Deadline> deadline = {}) {
    CommitResult result = std::unexpected(StoreFault::broken);
    test.drive([&]() -> asio::awaitable<void> {
      const JournalEntry entry = diary.entry();
      result = co_await test.store->commit(entry, deadline.value_or(test.soon()));
    });
    return result;
  }
  TestStore test;
};

TEST_F(SqliteStoreTest, CountsWhatItDoes) {
  test.open();
  TestDiary diary(1), other(1);
  other.source = "{}";
  ASSERT_TRUE(commit(diary) && commit(diary) && commit(other));
  EXPECT_EQ(test.telemetry.counted(Counter::diaries_committed), 1u);
  EXPECT_EQ(test.telemetry.counted(Counter::diaries_replayed), 1u);
  EXPECT_EQ(test.telemetry.counted(Counter::diaries_conflicting), 1u);
  EXPECT_EQ(test.store->health().queued, 0u);
  EXPECT_FALSE(test.store->health().broken);
}

TEST_F(SqliteStoreTest, APacedJournalTakesAtLeastItsEntriesTime) {
  test.options.pace_per_s = 10;
  test.open();
  const Instant began = test.clock.now();
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(commit(TestDiary(i)));
  EXPECT_GE(test.clock.now() - began, 290ms);
}

TEST_F(SqliteStoreTest, ADeadlinePassedBeforeTheCommitStoresNothing) {
  test.open();
  const TestDiary diary(1);
  EXPECT_EQ(commit(diary, Deadline{test.clock.now() - 1ms}).error(), StoreFault::timed_out);
  EXPECT_EQ(commit(diary)->how, Committed::How::stored);
}

TEST_F(SqliteStoreTest, RefusesWhatIsNewOnceStopped) {
  test.open();
  test.store->stop();
  EXPECT_EQ(commit(TestDiary(1)).error(), StoreFault::stopping);
  test.drive([&]() -> asio::awaitable<void> {
    EXPECT_EQ((co_await test.store->at(1)).error(), StoreFault::stopping);
    EXPECT_EQ((co_await test.store->begin_epoch()).error(), StoreFault::stopping);
  });
}

TEST_F(SqliteStoreTest, AFullQueueRefusesAtOnce) {
  test.options.queue_bytes_max = 100;
  test.open();
  TestDiary large(1, "S-1", std::string(200, ' '));
  EXPECT_EQ(commit(large).error(), StoreFault::queue_full);
  EXPECT_TRUE(commit(TestDiary(2)));
}

TEST_F(SqliteStoreTest, SeveralThreadsReadWhatOneWrites) {
  test.options.read_threads = 4;
  test.open();
  constexpr int diaries = 40;
  for (int i = 1; i <= diaries; ++i) ASSERT_TRUE(commit(TestDiary(i)));
  std::vector<std::function<asio::awaitable<void>()>> bodies;
  for (int i = 0; i < 10 * diaries; ++i)
    bodies.push_back([&, i]() -> asio::awaitable<void> {
      const Position position = static_cast<Position>(i % diaries) + 1;
      const auto diary = co_await test.store->at(position);
      EXPECT_TRUE(diary && diary->facts.position == position);
    });
  test.drive_all(std::move(bodies));
}

TEST_F(SqliteStoreTest, BelowTheReserveOnlyReplaysAreAnswered) {
  test.open();
  const TestDiary stored(1);
  const auto first = commit(stored);
  ASSERT_TRUE(first);
  test.store->stop();
  test.store.reset();
  test.options.reserve_bytes = std::uint64_t{1} << 62;
  test.open();
  EXPECT_EQ(commit(TestDiary(2)).error(), StoreFault::disk_reserve);
  EXPECT_TRUE(test.store->health().disk_reserve);
  const auto replay = commit(stored);
  ASSERT_TRUE(replay);
  EXPECT_EQ(replay->how, Committed::How::replay);
  EXPECT_EQ(replay->facts.group_hash, first->facts.group_hash);
  TestDiary other = stored;
  other.source = "{}";
  EXPECT_EQ(commit(other)->how, Committed::How::conflict);
}

TEST_F(SqliteStoreTest, AnInputOutputErrorBreaksItForGood) {
  CrashDisk disk(1);
  test.options.path = "journal";
  test.options.vfs = CrashDisk::vfs_name();
  test.open();
  ASSERT_TRUE(commit(TestDiary(1)));
  disk.arm(CrashDisk::Fault::input_output, 1, false);
  EXPECT_EQ(commit(TestDiary(2)).error(), StoreFault::broken);
  EXPECT_EQ(commit(TestDiary(3)).error(), StoreFault::broken);
  test.drive([&]() -> asio::awaitable<void> {
    EXPECT_EQ((co_await test.store->begin_epoch()).error(), StoreFault::broken);
  });
  EXPECT_TRUE(test.store->health().broken);
  test.store->stop();
  EXPECT_FALSE(test.fatal.empty());
  test.store.reset();
}

TEST_F(SqliteStoreTest, KeepsABoundedNumberOfConflictingBodies) {
  test.options.conflicts_per_diary = 2;
  test.options.conflicts_total = 3;
  test.open();
  for (std::uint64_t id : {1, 2, 3}) {
    TestDiary diary(id);
    ASSERT_TRUE(commit(diary));
    for (int i = 0; i < 4; ++i) {
      diary.source = "{\"other\":" + std::to_string(i) + "}";
      EXPECT_EQ(commit(diary)->how, Committed::How::conflict);
      EXPECT_EQ(commit(diary)->how, Committed::How::conflict);
    }
  }
  test.store->stop();
  Connection reader(test.options.path, Connection::Access::read, "");
  EXPECT_EQ(reader.integer("SELECT count(*) FROM conflicts"), 3);
  EXPECT_EQ(reader.integer("SELECT count(*) FROM conflicts WHERE position=1"), 2);
}

// Later diaries of a patient whose diary is parked wait, and come back in order when it is judged.
TEST_F(SqliteStoreTest, WhatWaitsBehindAParkedEntryIsCountedAndComesBack) {
  test.open();
  for (std::uint64_t i = 1; i <= 4; ++i)
    ASSERT_TRUE(commit(TestDiary(i, i == 2 ? "S-other" : "S-same")));
  const AuditEvent event{"outbox.redrive", "local", "default", "fixed", test.clock.wall()};
  const auto counts = [&]() -> asio::awaitable<OutboxCounts> {
    auto all = co_await test.store->counts();
    co_return all.value().at(0);
  };
  test.drive([&]() -> asio::awaitable<void> {
    auto leased = co_await test.store->lease("default", 0, 1);
    EXPECT_EQ(leased->size(), 1u);
    Settlement parked;
    parked.position = 1;
    parked.state = DeliveryState::parked;
    parked.reason = "http-422";
    EXPECT_TRUE(co_await test.store->settle("default", std::span(&parked, 1)));
    leased = co_await test.store->lease("default", 0, 10);
    EXPECT_EQ(leased->size(), 1u);
    EXPECT_EQ(leased->at(0).position, 2u);
    EXPECT_EQ((co_await counts()).blocked, 2u);
    EXPECT_EQ((co_await counts()).owed, 3u);
    const TestDiary late(5, "S-same");
    const JournalEntry entry = late.entry();
    EXPECT_TRUE(co_await test.store->commit(entry, test.soon()));
    EXPECT_EQ((co_await counts()).blocked, 3u);
    const Uuid id = TestDiary(1, "S-same").entry().delivery_id;
    EXPECT_TRUE(co_await test.store->redrive("default", id, event));
    leased = co_await test.store->lease("default", 0, 10);
    EXPECT_EQ(leased->size(), 5u);
    for (std::size_t i = 0; i < leased->size(); ++i) EXPECT_EQ(leased->at(i).position, i + 1);
    EXPECT_EQ((co_await counts()).blocked, 0u);
    EXPECT_EQ((co_await counts()).owed, 5u);
  });
}

// Goal: many threads, every coroutine resumes on its own, each diary stored once, races of
// deadlines included. Run under the tsan preset as well.
TEST_F(SqliteStoreTest, ManyShardsCommitAtOnceWithRacingDeadlines) {
  test.options.sweep_interval = 1ms;
  test.open();
  constexpr std::uint64_t threads_count = 3, each = 300;
  std::atomic<std::uint64_t> stored{0}, late{0}, strayed{0};
  std::vector<std::thread> threads;
  std::deque<asio::io_context> contexts;  // outlive the store's posts: gone only after stop()
  for (std::uint64_t t = 0; t < threads_count; ++t)
    threads.emplace_back([&, t, &context = contexts.emplace_back(1)] {
      for (std::uint64_t i = 0; i < each; ++i)
        asio::co_spawn(
            context,
            [&, seed = t * each + i]() -> asio::awaitable<void> {
              const auto home = std::this_thread::get_id();
              const TestDiary diary(seed + 1);
              const JournalEntry entry = diary.entry();
              const bool racing = seed % 3 == 0;
              const Deadline deadline{test.clock.now() + (racing ? 500us : Duration{30s})};
              const CommitResult result = co_await test.store->commit(entry, deadline);
              if (std::this_thread::get_id() != home) ++strayed;
              if (result)
                ++stored;
              else if (result.error() == StoreFault::timed_out && racing)
                ++late;
            },
            asio::detached);
      context.run();
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(stored + late, threads_count * each);
  EXPECT_EQ(strayed, 0u);
  test.store->stop();
  Connection reader(test.options.path, Connection::Access::read, "");
  const auto rows = static_cast<std::uint64_t>(reader.integer("SELECT count(*) FROM diaries"));
  EXPECT_GE(rows, stored);  // a late one may be stored all the same
  EXPECT_LE(rows, threads_count * each);
  EXPECT_EQ(reader.integer("SELECT count(DISTINCT delivery_id) FROM diaries"),
            static_cast<std::int64_t>(rows));
}

// Goal: what is queued when the server stops is answered, stored or refused, never left waiting.
TEST_F(SqliteStoreTest, StoppingAnswersEverybody) {
  test.open();
  std::atomic<int> answered{0};
  asio::io_context context(1);
  std::thread shard([&] {
    for (std::uint64_t i = 1; i <= 200; ++i)
      asio::co_spawn(
          context,
          [&, i]() -> asio::awaitable<void> {
            const TestDiary diary(i);
            const JournalEntry entry = diary.entry();
            const auto result = co_await test.store->commit(entry, test.soon());
            if (result || result.error() == StoreFault::stopping) ++answered;
          },
          asio::detached);
    context.run();
  });
  test.store->stop();
  shard.join();
  EXPECT_EQ(answered, 200);
}

// Bound: a commit allocates at most this often on the shard's thread, in steady state.
TEST_F(SqliteStoreTest, ACommitAllocatesLittleOnTheShard) {
  if (!counts_allocations) GTEST_SKIP() << "a sanitizer has its own operator new";
  constexpr std::uint64_t allocations_max = 2;
  test.open();
  test.drive([&]() -> asio::awaitable<void> {
    std::vector<TestDiary> diaries;
    for (std::uint64_t i = 1; i <= 120; ++i) diaries.emplace_back(i);
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < diaries.size(); ++i) {
      const JournalEntry entry = diaries[i].entry();
      if (i == 20) before = allocations;
      std::ignore = co_await test.store->commit(entry, test.soon());
    }
    EXPECT_LE(allocations - before, 100 * allocations_max) << "for 100 commits";
  });
}

}  // namespace
}  // namespace vesper
