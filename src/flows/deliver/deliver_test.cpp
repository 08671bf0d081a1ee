#include "flows/deliver/rig_for_tests.hpp"

namespace vesper {
namespace {

TEST_F(Deliver, DeliversWhatIsCommittedAndStoresThatItDid) {
  start();
  for (std::uint64_t n = 1; n <= 100; ++n)
    process->commit(n, "S-" + std::to_string(n % 7), {"main"});
  process->run_for(5s);
  EXPECT_EQ(process->platform.applied["main"].size(), 100u);
  EXPECT_FALSE(process->platform.two_of_a_patient);
  EXPECT_EQ(row("main").counts.delivered, 100u);
  EXPECT_EQ(row("main").counts.owed, 0u);
  EXPECT_EQ(process->figures.gauges[Gauge::deliveries_in_flight], 0);
  EXPECT_EQ(process->figures.counters[Counter::deliveries_settled], 100u);
}

TEST_F(Deliver, KeepsEachPatientsOrderUnderRandomFaults) {
  start();
  process->platform.rules["main"] = [&](const std::string&, std::uint32_t) {
    const auto roll = world.random().below(10);
    if (roll == 0) return Platform::status(503);
    if (roll == 1) return Platform::status(200, 20s);
    if (roll == 2) return Platform::status(409);
    return Platform::ok();
  };
  for (std::uint64_t n = 1; n <= 300; ++n)
    process->commit(n, "S-" + std::to_string(n % 5), {"main"});
  process->run_for(1h);
  EXPECT_FALSE(process->platform.two_of_a_patient);
  for (auto& [subject, ids] : process->platform.order["main"]) {
    EXPECT_EQ(ids.size(), 60u);
    EXPECT_TRUE(std::ranges::is_sorted(ids)) << subject;
  }
}

TEST_F(Deliver, ASlowDestinationHarmsNoOther) {
  start({settings_of("slow"), settings_of("quick")});
  process->platform.rules["slow"] = [](const std::string&, std::uint32_t) {
    return Platform::status(200, 1h);
  };
  for (std::uint64_t n = 1; n <= 500; ++n)
    process->commit(n, "S-" + std::to_string(n), {"slow", "quick"});
  process->run_for(1s);
  EXPECT_EQ(process->platform.applied["quick"].size(), 500u);
  EXPECT_EQ(row("slow").counts.owed, 500u);
  EXPECT_LE(process->platform.most_in_flight["slow"], 64);
}

TEST_F(Deliver, HoldsConcurrencyAndRate) {
  auto settings = settings_of("main");
  settings.concurrency = 8;
  settings.rate_max_per_s = 50;
  settings.rate_burst = 1;
  start({settings});
  for (std::uint64_t n = 1; n <= 200; ++n) process->commit(n, "S-" + std::to_string(n), {"main"});
  const auto before = process->platform.starts["main"].size();
  process->run_for(1s);
  EXPECT_NEAR(static_cast<double>(process->platform.starts["main"].size() - before), 50, 2);
  process->run_for(10s);
  EXPECT_EQ(process->platform.applied["main"].size(), 200u);
  EXPECT_LE(process->platform.most_in_flight["main"], 8);
}

TEST_F(Deliver, AParkedDiaryHoldsItsPatientBackUntilRedriven) {
  start();
  bool fixed = false;
  process->platform.rules["main"] = [&](const std::string& subject, std::uint32_t) {
    return subject == "S-bad" && !fixed ? Platform::status(422) : Platform::ok();
  };
  process->commit(1, "S-bad", {"main"});
  process->commit(2, "S-bad", {"main"});
  process->commit(3, "S-good", {"main"});
  process->run_for(10min);
  EXPECT_EQ(process->platform.applied["main"].size(), 1u);
  EXPECT_EQ(row("main").counts.parked, 1u);
  EXPECT_EQ(process->log.count("delivery.parked"), 1u);
  const auto parked = process->get(process->delivery.parked("main", 0, 10));
  ASSERT_TRUE(parked);
  ASSERT_EQ(parked->size(), 1u);
  EXPECT_EQ(parked->front().reason, "unprocessable");
  EXPECT_EQ(parked->front().delivery_id, id_of(1));
  fixed = true;
  EXPECT_FALSE(process->get(process->delivery.redrive("main", id_of(2), {})));
  ASSERT_TRUE(process->get(process->delivery.redrive("main", id_of(1), {})));
  process->run_for(5s);
  EXPECT_EQ(process->platform.order["main"]["S-bad"], (std::vector<Uuid>{id_of(1), id_of(2)}));
}

TEST_F(Deliver, SkippingLetsThePatientGoOnWithoutTheDiary) {
  start();
  process->commit(1, "S-1", {"main"}, "underivable");
  process->commit(2, "S-1", {"main"});
  process->run_for(5s);
  EXPECT_TRUE(process->platform.applied["main"].empty());
  ASSERT_TRUE(process->get(process->delivery.skip("main", id_of(1), {})));
  process->run_for(5s);
  EXPECT_EQ(process->platform.order["main"]["S-1"], std::vector<Uuid>{id_of(2)});
}

TEST_F(Deliver, ARestartKeepsParkedLanesBlockedAndResumesTheRest) {
  start();
  process->platform.rules["main"] = [](const std::string& subject, std::uint32_t) {
    return Platform::status(subject == "S-bad" ? 410 : 503);
  };
  process->commit(1, "S-bad", {"main"});
  process->commit(2, "S-bad", {"main"});
  process->commit(3, "S-good", {"main"});
  process->run_for(10s);
  process.reset();
  start();
  process->run_for(10min);
  EXPECT_EQ(process->platform.applied["main"].size(), 1u);
  EXPECT_EQ(process->platform.applied["main"].count(id_of(3)), 1u);
  EXPECT_EQ(platter.epoch, 2u);
}

TEST_F(Deliver, PausingSurvivesARestart) {
  start();
  ASSERT_TRUE(process->get(process->delivery.pause("main", true, {})));
  process->commit(1, "S-1", {"main"});
  process->run_for(1h);
  EXPECT_TRUE(process->platform.starts["main"].empty());
  process.reset();
  start();
  process->run_for(1h);
  EXPECT_TRUE(process->platform.starts["main"].empty());
  EXPECT_TRUE(row("main").status.paused);
  ASSERT_TRUE(process->get(process->delivery.pause("main", false, {})));
  process->run_for(5s);
  EXPECT_EQ(process->platform.applied["main"].size(), 1u);
}

TEST_F(Deliver, ADeadDestinationIsProbedEachSecondAndDrainsWhenItIsBack) {
  start();
  bool dead = true;
  process->platform.rules["main"] = [&](const std::string&, std::uint32_t) {
    return dead ? Platform::status(500) : Platform::ok();
  };
  for (std::uint64_t n = 1; n <= 1000; ++n) process->commit(n, "S-" + std::to_string(n), {"main"});
  process->run_for(10min);
  const auto tries = process->platform.starts["main"].size();
  process->run_for(24h);
  const auto more = process->platform.starts["main"].size() - tries;
  EXPECT_GE(more, 24u * 3600);  // at least one a second, or the recovery would be missed
  EXPECT_LE(more, 24u * 3600 * 4 / 3);
  EXPECT_EQ(row("main").counts.parked, 0u);
  EXPECT_EQ(row("main").counts.owed, 1000u);
  EXPECT_EQ(row("main").status.last_error, "server_error");
  EXPECT_EQ(process->log.count("destination.at_fault"), 1u);
  dead = false;
  process->run_for(2s);
  EXPECT_EQ(process->platform.applied["main"].size(), 1000u);
  EXPECT_EQ(process->log.count("destination.recovered"), 1u);
}

TEST_F(Deliver, HonoursRetryAfterOfTheWholeDestination) {
  start();
  process->platform.rules["main"] = [&](const std::string&, std::uint32_t nth) {
    auto answer = Platform::status(nth == 1 ? 503 : 200);
    answer.reply.retry_after = "100";
    return answer;
  };
  process->commit(1, "S-1", {"main"});
  process->run_for(99s);
  process->commit(2, "S-2", {"main"});
  process->run_for(500ms);
  EXPECT_EQ(process->platform.starts["main"].size(), 1u);
  process->run_for(10min);
  EXPECT_EQ(process->platform.applied["main"].size(), 2u);
  const auto& starts = process->platform.starts["main"];
  EXPECT_GE(starts[1] - starts[0], 100s);
  EXPECT_LE(starts[1] - starts[0], 121s);
}

TEST_F(Deliver, StopWaitsForWhatIsInFlightAndLeavesTheRestOwed) {
  auto settings = settings_of("main");
  settings.deadline = 60s;
  start({settings});
  process->platform.rules["main"] = [](const std::string& subject, std::uint32_t) {
    return Platform::status(200, subject == "S-1" ? 2s : 50s);
  };
  process->commit(1, "S-1", {"main"});
  process->commit(2, "S-2", {"main"});
  process->run_for(100ms);
  bool stopped = false;
  const Instant began = world.now();
  asio::co_spawn(process->context, process->delivery.stop(Deadline{began + 8s}),
                 [&](std::exception_ptr) { stopped = true; });
  for (int i = 0; i < 20 && !stopped; ++i) process->run_for(1s);
  EXPECT_TRUE(stopped);
  EXPECT_LE(world.now() - began, 10s);
  EXPECT_EQ(platter.outbox["main"][1].state, DeliveryState::delivered);
  EXPECT_NE(platter.outbox["main"][2].state, DeliveryState::delivered);
  process.reset();
  start();
  process->run_for(1min);
  EXPECT_EQ(process->platform.applied["main"].size(), 1u);
}

TEST_F(Deliver, StopIsQuickWhenNothingIsInFlight) {
  start();
  process->run_for(1s);
  bool stopped = false;
  asio::co_spawn(process->context, process->delivery.stop(Deadline{world.now() + 8s}),
                 [&](std::exception_ptr) { stopped = true; });
  process->run_for(10ms);
  EXPECT_TRUE(stopped);
}

TEST_F(Deliver, AProxysPageIsCountedAndSaid) {
  start();
  process->platform.rules["main"] = [&](const std::string&, std::uint32_t) {
    auto answer = Platform::ok();
    answer.reply.content_type = "text/html";
    return answer;
  };
  process->commit(1, "S-1", {"main"});
  process->run_for(1s);
  EXPECT_EQ(row("main").status.suspects, 1u);
  EXPECT_EQ(process->log.count("delivery.suspect"), 1u);
}

// Goal: whatever dies when, everything committed is delivered, in each patient's order, and applied
// once by a platform that knows its keys.
TEST_F(Deliver, CrashesLoseNothingAndKeepTheOrder) {
  std::map<std::string, std::vector<Uuid>> seen;
  std::uint64_t n = 0;
  for (int life = 0; life < 12; ++life) {
    start();
    process->platform.rules["main"] = [&](const std::string&, std::uint32_t) {
      return world.random().chance(0.2) ? Platform::status(500) : Platform::ok();
    };
    for (int i = 0; i < 25; ++i, ++n)
      process->commit(n + 1, "S-" + std::to_string(n % 3), {"main"});
    process->run_for(Duration{static_cast<Duration::rep>(world.random().below(400'000'000))});
    if (life == 11) process->run_for(30min);
    for (auto& [subject, ids] : process->platform.order["main"])
      for (const auto& id : ids)
        if (std::ranges::find(seen[subject], id) == seen[subject].end())
          seen[subject].push_back(id);
    process.reset();
  }
  for (auto& [subject, ids] : seen) {
    EXPECT_EQ(ids.size(), 100u) << subject;
    EXPECT_TRUE(std::ranges::is_sorted(ids)) << subject;
  }
}

}  // namespace
}  // namespace vesper
