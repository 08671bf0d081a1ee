#include "flows/diagnose/stall_watch.hpp"

#include <gtest/gtest.h>

#include <map>

#include "io/log/memory_log.hpp"
#include "sim/sim_clock.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {
namespace {

class Figures final : public Telemetry {
 public:
  void count(Counter counter, std::uint64_t n) override { counters[counter] += n; }
  void set(Gauge gauge, std::int64_t value) override { gauges[gauge] = value; }
  void add(Gauge gauge, std::int64_t change) override { gauges[gauge] += change; }
  void observe(Histogram, Duration) override {}
  std::map<Counter, std::uint64_t> counters;
  std::map<Gauge, std::int64_t> gauges;
};

struct Watched {
  sim::World world{3};
  sim::SimClock clock{world};
  std::shared_ptr<TaskRegistry> registry = std::make_shared<TaskRegistry>(&clock);
  TaskScope shard = TaskScope{registry, "vesper"}.on_thread("shard0");
  Figures figures;
  MemoryLog log;
  StallWatch watch{*registry, clock, figures, log};
};

// Goal: both sides of the edge: a task is stalled a second after its deadline, not before.
TEST(StallWatch, ATaskIsStalledASecondAfterItsDeadline) {
  Watched w;
  Task sweep = w.shard.begin("sweep", for_ever);
  sweep.mark("clock.sleep", w.world.now(), w.world.now() + 200ms);
  Task stuck = w.shard.begin("connection", for_ever);
  stuck.mark("serving", w.world.now());
  w.world.step(w.world.now() + 1199ms);
  EXPECT_EQ(w.watch.look(), 0u);
  w.world.step(w.world.now() + 1ms);
  EXPECT_EQ(w.watch.look(), 1u);
  EXPECT_EQ(w.figures.gauges[Gauge::tasks_stalled_now], 1);
  EXPECT_EQ(w.figures.counters[Counter::tasks_stalled], 1u);
  const std::string line = w.log.lines().at(0);
  for (const char* part : {"task.stalled", "\"sweep\"", "vesper/shard0", "clock.sleep",
                           "stall_watch_test.cpp:", "\"connection\"", "\"serving\""})
    EXPECT_NE(line.find(part), line.npos) << part << " in " << line;
}

TEST(StallWatch, AStallIsToldOnceAMinuteAndForgottenWhenItEnds) {
  Watched w;
  Task task = w.shard.begin("worker", Deadline{w.world.now() + 1s});
  const auto lines = [&] { return w.log.count("task.stalled"); };
  for (int second = 0; second < 130; ++second) {
    w.world.step(w.world.now() + 1s);
    w.watch.look();
  }
  EXPECT_EQ(lines(), 3u);
  EXPECT_EQ(w.figures.counters[Counter::tasks_stalled], 1u);
  task.mark("clock.sleep", w.world.now());
  EXPECT_EQ(w.watch.look(), 0u);
  EXPECT_EQ(w.figures.gauges[Gauge::tasks_stalled_now], 0);
}

TEST(StallWatch, ACrowdOfStallsIsSampled) {
  Watched w;
  std::vector<Task> crowd;
  for (int i = 0; i < 1000; ++i)
    crowd.push_back(w.shard.begin("connection", Deadline{w.world.now() + 1s}));
  w.world.step(w.world.now() + 10s);
  EXPECT_EQ(w.watch.look(), 1000u);
  EXPECT_EQ(w.log.count("task.stalled"), StallWatch::lines_max);
}

}  // namespace
}  // namespace vesper
