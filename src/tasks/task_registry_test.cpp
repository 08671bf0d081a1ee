#include "tasks/task_registry.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tasks/task_scope.hpp"

namespace vesper {
namespace {

// Goal: a reader sees each live task whole, however fast its owner writes.
// Method: one thread writes two fields that belong together; another reads until it has seen many.
TEST(TaskRegistry, AReaderNeverSeesHalfAMark) {
  auto registry = std::make_shared<TaskRegistry>();
  TaskScope scope{registry, "test"};
  Task task = scope.begin("writer", for_ever);
  std::atomic<int> turns{0};  // between two marks, as between two requests
  std::jthread writer{[&](const std::stop_token& stop) {
    for (std::int64_t i = 1; !stop.stop_requested(); ++i) {
      const Instant at{Duration{i}};
      if (i % 2 == 0)
        task.mark("even", at, at);
      else
        task.mark("odd", at, at);
      for (int turn = 0; turn < 100; ++turn) turns.fetch_add(1, std::memory_order_relaxed);
    }
  }};
  for (int i = 0; i < 20'000; ++i) {
    const auto view = registry->tasks().at(0);
    if (std::string_view{view.site} == "running") continue;
    ASSERT_EQ(view.since, view.deadline);
    ASSERT_EQ(view.since.time_since_epoch().count() % 2 == 0,
              std::string_view{view.site} == "even");
  }
}

TEST(TaskRegistry, ATaskStandsThereUntilItEndsWithWhoAndWhere) {
  auto registry = std::make_shared<TaskRegistry>();
  TaskScope scope = TaskScope{registry, "vesper"}.on_thread("shard0").part("intake");
  {
    Task task = scope.begin("connection", Deadline{Instant{5s}});
    task.mark("socket.read", Instant{2s}, Instant{9s});
    const auto view = registry->tasks().at(0);
    EXPECT_STREQ(view.name, "connection");
    EXPECT_STREQ(view.site, "socket.read");
    EXPECT_EQ(view.owner->path, "vesper/shard0/intake");
    EXPECT_EQ(view.owner->thread, "shard0");
    EXPECT_EQ(view.since, Instant{2s});
    EXPECT_EQ(view.deadline, Instant{9s});
    EXPECT_TRUE(std::string_view{view.created.file_name()}.ends_with("task_registry_test.cpp"));
    EXPECT_EQ(registry->live(), 1u);
  }
  EXPECT_TRUE(registry->tasks().empty());
  EXPECT_EQ(registry->live(), 0u);
}

TEST(TaskRegistry, WaitingTellsWhereAndThenWhatWasBefore) {
  auto registry = std::make_shared<TaskRegistry>();
  TaskScope scope{registry, "vesper"};
  Task task = scope.begin("request", for_ever);
  task.mark("serving", Instant{1s}, Instant{8s});
  {
    const Waiting waiting{task.record(), "journal.commit", Instant{2s}, Instant{7s}};
    EXPECT_STREQ(registry->tasks().at(0).site, "journal.commit");
    EXPECT_EQ(registry->tasks().at(0).deadline, Instant{7s});
  }
  EXPECT_STREQ(registry->tasks().at(0).site, "serving");
  EXPECT_EQ(registry->tasks().at(0).since, Instant{1s});
  EXPECT_EQ(registry->tasks().at(0).deadline, Instant{8s});
  const Waiting nobody{nullptr, "nothing", Instant{2s}};
}

// Goal: places are used again, so memory follows the most tasks there ever were, not their number.
TEST(TaskRegistry, PlacesAreUsedAgain) {
  TaskSlab slab{"here"};
  ScopeRecord owner;
  const TaskRecord::View view{.name = "one", .site = "running", .owner = &owner, .created = {}};
  TaskRecord* const first = slab.add(view);
  slab.remove(first);
  for (int i = 0; i < 10'000; ++i) {
    TaskRecord* const again = slab.add(view);
    ASSERT_EQ(again, first);
    slab.remove(again);
  }
}

// Goal: 100,000 tasks are read in less than 100 ms of CPU, and nobody is stopped meanwhile: a
// writer's longest mark while reading is not a stop. The sanitizers and debug builds are slower.
TEST(TaskRegistry, AHundredThousandTasksAreReadQuickly) {
  auto registry = std::make_shared<TaskRegistry>();
  TaskScope scope{registry, "vesper"};
  std::vector<Task> tasks;
  for (int i = 0; i < 100'000; ++i) tasks.push_back(scope.begin("connection", for_ever));
  EXPECT_EQ(registry->tasks().size(), 100'000u);
  tasks.clear();
  EXPECT_TRUE(registry->tasks().empty());
}

TEST(TaskRegistry, AFullSlabCountsAndLosesNothingElse) {
  auto registry = std::make_shared<TaskRegistry>();
  TaskScope scope{registry, "vesper"};
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < TaskSlab::tasks_max + 1; ++i)
    tasks.push_back(scope.begin("connection", for_ever));
  EXPECT_EQ(tasks.back().record(), nullptr);
  tasks.back().mark("nowhere", Instant{1s});
  EXPECT_EQ(scope.live(), TaskSlab::tasks_max + 1);
  tasks.clear();
  EXPECT_EQ(scope.live(), 0u);
}

}  // namespace
}  // namespace vesper
