#include "flows/limits/refusal_watch.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>

#include "io/log/memory_log.hpp"
#include "sim/sim_clock.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {
namespace {

using namespace std::chrono_literals;

struct RefusalLines : testing::Test {
  sim::World world{3};
  sim::SimClock clock{world};
  std::map<Counter, std::uint64_t> totals;
  MemoryLog log;
  RefusalWatch watch{clock, log, [this](Counter of) { return totals[of]; }};
};

bool has(const std::string& line, std::string_view part) {
  return line.find(part) != std::string::npos;
}

TEST_F(RefusalLines, AreOneForEachReasonWithTheCountSinceTheLast) {
  totals[Counter::refused_for_loop] = 100'000;
  totals[Counter::over_address_rate] = 1;
  EXPECT_EQ(watch.look(), 2u);
  ASSERT_EQ(log.count("refused"), 2u);
  EXPECT_TRUE(has(log.lines()[0], R"("event.reason":"loop","vesper.refused":100000)"))
      << log.lines()[0];
  EXPECT_TRUE(has(log.lines()[1], R"("event.reason":"address","vesper.refused":1)"))
      << log.lines()[1];
  EXPECT_EQ(watch.look(), 0u) << "nobody was refused since";
  totals[Counter::refused_for_loop] += 7;
  EXPECT_EQ(watch.look(), 1u);
  EXPECT_TRUE(has(log.lines()[2], R"("vesper.refused":7)")) << log.lines()[2];
}

TEST_F(RefusalLines, AreNotWrittenForWhatIsNoRefusal) {
  for (const Counter other : {Counter::would_refuse_address, Counter::diaries_committed,
                              Counter::requests_5xx, Counter::tokens_refused})
    totals[other] = 5;
  EXPECT_EQ(watch.look(), 0u);
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(RefusalLines, EveryReasonHasAName) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::count_); ++i)
    totals[static_cast<Counter>(i)] = 1;
  const std::size_t lines = watch.look();
  EXPECT_EQ(log.lines().size(), lines);
  EXPECT_GE(lines, 15u);
  for (const auto& line : log.lines())
    EXPECT_FALSE(has(line, R"("event.reason":"")") || has(line, R"(reason=)")) << line;
}

// While everything is refused, all the time.
TEST_F(RefusalLines, AreAtMostOneASecondAndReason) {
  boost::asio::io_context context;
  const auto pass = [&](Duration length) {
    for (const Instant end = world.now() + length; world.now() < end;) {
      context.restart();
      context.poll();
      (void)world.step(end);
    }
  };
  TaskScope scope{"test"};
  scope.spawn(context.get_executor(), "refusals", for_ever,
              [this](TaskRecord* task) { return watch.run(task); });
  for (int i = 0; i < 100; ++i) {
    totals[Counter::refused_for_loop] += 1000;
    pass(100ms);
  }
  EXPECT_GE(log.count("refused"), 9u);
  EXPECT_LE(log.count("refused"), 10u);
  scope.cancel();
  pass(2s);
}

}  // namespace
}  // namespace vesper
