#include "flows/diagnose/task_dump.hpp"

#include <gtest/gtest.h>

#include "tasks/task_scope.hpp"

namespace vesper {
namespace {

struct Tasks {
  std::shared_ptr<TaskRegistry> registry = std::make_shared<TaskRegistry>();
  TaskScope intake = TaskScope{registry, "vesper"}.on_thread("shard0").part("intake");
  std::vector<Task> held;
  Task& add(Instant since, Instant until = Instant::max()) {
    held.push_back(intake.begin("connection", for_ever));
    held.back().mark("socket.read.idle", since, until);
    return held.back();
  }
};

TEST(TaskDump, AStackLeadsFromWhereItWaitsToTheRoot) {
  Tasks tasks;
  tasks.add(Instant{1s});
  const auto stack = stack_of(tasks.registry->tasks().at(0));
  ASSERT_EQ(stack.size(), 5u);
  EXPECT_EQ(stack[0].function, "socket.read.idle");
  EXPECT_EQ(stack[1].function, "connection");
  EXPECT_EQ(stack[1].file, "src/flows/diagnose/task_dump_test.cpp");
  EXPECT_GT(stack[1].line, 0u);
  EXPECT_EQ(stack[2].function, "vesper/shard0/intake");
  EXPECT_EQ(stack[3].function, "vesper/shard0");
  EXPECT_EQ(stack[4].function, "vesper");
}

TEST(TaskDump, CountsBeginAsGoDoesAndNameEachAddress) {
  Tasks tasks;
  tasks.held.reserve(3);
  tasks.add(Instant{1s});
  tasks.add(Instant{2s});
  tasks.add(Instant{3s}).mark("journal.commit", Instant{4s});
  FrameAddresses addresses;
  const std::string text = task_counts_text(tasks.registry->tasks(), addresses);
  EXPECT_TRUE(text.starts_with("goroutine profile: total 3\n2 @ 0x100 0x200 0x300 0x400 0x500\n"))
      << text;
  EXPECT_NE(text.find("\n1 @ 0x600 0x200 0x300 0x400 0x500\n"), text.npos) << text;
  EXPECT_EQ(addresses.name_of(0x100), "socket.read.idle");
  EXPECT_EQ(addresses.name_of(0x0ff), "socket.read.idle");
  EXPECT_EQ(addresses.name_of(0x600), "journal.commit");
  EXPECT_EQ(addresses.name_of(0x700), "");
  EXPECT_EQ(addresses.name_of(0), "");
}

TEST(TaskDump, TheListHasEveryFieldOfEveryTaskLongestFirst) {
  Tasks tasks;
  tasks.held.reserve(2);
  tasks.add(Instant{9s}, Instant{15s});
  tasks.add(Instant{2s}, Instant{8s});
  const std::string text = task_list_text(tasks.registry->tasks(), Instant{10s});
  EXPECT_TRUE(text.starts_with("tasks: total 2\n\ntask 2 [socket.read.idle, 8.000 s]:\n")) << text;
  for (const char* part :
       {"  name: connection\n", "  owner: vesper/shard0/intake\n", "  thread: shard0\n",
        "  created: src/flows/diagnose/task_dump_test.cpp:", "  waits: socket.read.idle\n",
        "  since: 1.000 s ago\n", "  deadline: in 5.000 s\n", "  deadline: 2.000 s ago\n",
        "  age: 10.000 s\n"})
    EXPECT_NE(text.find(part), text.npos) << part << text;
}

}  // namespace
}  // namespace vesper
