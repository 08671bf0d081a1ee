#include "flows/diagnose/vars.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tasks/task_scope.hpp"

namespace vesper {
namespace {

TEST(Vars, AreOneJsonObjectWithEveryFigure) {
  auto registry = std::make_shared<TaskRegistry>();
  const TaskScope scope{registry, "vesper"};
  const auto part = scope.part("intake"), same = scope.part("intake");
  const Task one = part.begin("connection", for_ever), two = same.begin("connection", for_ever);
  Vars vars;
  vars.uptime = 1500ms;
  vars.resident_bytes = 7;
  vars.queues.emplace_back("journal.entries", QueueFigures{1, 2, 3, 250ms});
  vars.shards.push_back({"shard0", 4, 5, 6, 10ms, 200ms});
  vars.tasks_live = 2;
  vars.scopes = registry->scopes();
  const auto json = nlohmann::json::parse(vars_json(vars));
  EXPECT_DOUBLE_EQ(json["uptime_seconds"], 1.5);
  EXPECT_EQ(json["memstats"]["resident_bytes"], 7);
  EXPECT_EQ(json["queues"]["journal.entries"]["high_water"], 3);
  EXPECT_DOUBLE_EQ(json["queues"]["journal.entries"]["blocked_seconds"], 0.25);
  EXPECT_EQ(json["shards"][0]["requests"], 6);
  EXPECT_EQ(json["tasks"]["live"], 2);
  EXPECT_EQ(json["tasks"]["by_scope"]["vesper/intake"]["live"], 2);
}

TEST(HighWater, KeepsTheMost) {
  HighWater most;
  for (const std::uint64_t level : {3u, 9u, 4u}) most.raise(level);
  EXPECT_EQ(most.value(), 9u);
}

}  // namespace
}  // namespace vesper
