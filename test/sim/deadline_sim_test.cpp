// Goal: whatever stands still behind a route, its caller is answered at the deadline, and what was
// committed stays committed and is in force. Method: one simulated server, its disk held.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fstream>
#include <sstream>

#include "flows/limits/limits_api.hpp"
#include "node.hpp"
#include "tokens.hpp"

namespace vesper::sim {
namespace {

class Deadlines : public testing::Test {
 protected:
  Deadlines() {
    run_for(1s);
    const char* source = std::getenv("VESPER_SOURCE");
    std::ifstream in{std::string{source ? source : "."} + "/deploy/demo/trial.json"};
    std::ostringstream out;
    out << in.rdbuf();
    document = out.str();
  }
  void run_for(Duration length) {
    const Instant end = world.now() + length;
    do node.run_ready();
    while (world.step(end));
  }
  /// Asks, and lets `most` pass: what was told by then.
  Told ask(Ask ask, Duration most) {
    Told told;
    node.ask(ask, [&told](const Told& answer) { told = answer; });
    run_for(most);
    return told;
  }
  Ask publication() const {
    return {.method = Method::put,
            .path = "/trials/EVENING-01",
            .token = staff,
            .body = document,
            .headers = {{"If-None-Match", "*"}, {"X-Request-Timeout-Ms", "2000"}}};
  }

  World world{20261120};
  Platter platter;
  SimPlatform platform;
  Surroundings around{.world = world, .platter = platter, .platform = platform};
  Node node{around, shared_key_set()};
  const std::string staff =
      shared_token({.issuer = issuer, .subject = "admin-1", .scope = "trial-admin patient"});
  std::string document;
};

TEST_F(Deadlines, APublicationIsAnsweredInTimeAndFinishedAllTheSame) {
  around.disk.held = true;
  const Told late = ask(publication(), 3s);
  EXPECT_EQ(late.status, 503) << late.body;
  EXPECT_GE(late.retry_after(), 1);
  EXPECT_GE(late.answered - late.arrived, 2s);
  EXPECT_LE(late.answered - late.arrived, 2100ms);
  EXPECT_TRUE(platter.trials.empty());
  around.disk.held = false;
  run_for(1s);
  ASSERT_EQ(platter.trials.size(), 1u);
  const Told read = ask({.method = Method::get, .path = "/trials/EVENING-01", .token = staff}, 1s);
  EXPECT_EQ(read.status, 200) << "stored, so in force";
  EXPECT_EQ(ask(publication(), 1s).status, 412) << "it exists";
}

TEST_F(Deadlines, TheHistoryOfATrialIsAnsweredInTime) {
  EXPECT_EQ(ask(publication(), 1s).status, 201);
  const Ask history{.method = Method::get,
                    .path = "/trials/EVENING-01/history",
                    .token = staff,
                    .headers = {{"X-Request-Timeout-Ms", "700"}}};
  EXPECT_EQ(ask(history, 1s).status, 200);
  around.disk.held = true;
  const Told late = ask(history, 1s);
  EXPECT_EQ(late.status, 503);
  EXPECT_LE(late.answered - late.arrived, 800ms);
}

TEST_F(Deadlines, AnOperatorsChangeIsAnsweredInTimeAndFinishedAllTheSame) {
  LimitsApi api{node.limits(), node.fair_use()};
  Exchange exchange;
  exchange.body = R"({"level": 2})";
  exchange.deadline = {world.now() + 2s};
  around.disk.held = true;
  asio::co_spawn(node.context(), api.set_degradation(exchange, "ops-1"), asio::detached);
  run_for(1900ms);
  EXPECT_EQ(exchange.reply.status, 500) << "nobody is told before";
  run_for(200ms);
  EXPECT_EQ(exchange.reply.status, 503);
  EXPECT_NE(node.fair_use().level(), admission::DegradationLevel::reads_off);
  around.disk.held = false;
  run_for(1s);
  EXPECT_EQ(node.fair_use().level(), admission::DegradationLevel::reads_off);
  ASSERT_FALSE(platter.audit.empty());
  EXPECT_TRUE(std::ranges::any_of(platter.audit, [](const auto& e) { return e.actor == "ops-1"; }));
}

}  // namespace
}  // namespace vesper::sim
