// Goal: whatever befell a destination, deliveries flow again within 2 s of its healing, and while
// it is ill hardly anything is sent. Virtual time, the real flow over a simulated store.
#include "flows/deliver/protection.hpp"

#include "flows/deliver/outbox_api.hpp"
#include "flows/deliver/rig_for_tests.hpp"

namespace vesper {
namespace {

using Answer = Platform::Answer;

Answer trouble(UpstreamReply::Trouble why, Duration after) {
  Answer answer{after, {}};
  answer.reply.trouble = why;
  return answer;
}

struct Illness {
  const char* name;
  Answer answer;
};
const Illness illnesses[] = {
    {"dead", trouble(UpstreamReply::Trouble::refused, 1ms)},
    {"hanging", Platform::status(200, 1h)},
    {"slow", Platform::status(200, 10s)},
    {"unavailable", Platform::status(503)},
    {"failing", Platform::status(500, 2ms)},
    {"wrong credentials", Platform::status(401)},
    {"cutting", trouble(UpstreamReply::Trouble::cut, 100ms)},
};

class Protection : public Deliver {
 protected:
  // 16 connections and 50 ms an answer: 320 a second when all is well.
  void begin(UpstreamSettings settings = settings_of("main"), std::uint64_t diaries = 4000) {
    if (settings.concurrency == 64) settings.concurrency = 16;
    start({settings});
    ASSERT_TRUE(process->get(process->delivery.pause("main", true, {})));
    for (std::uint64_t n = 1; n <= diaries; ++n)
      process->commit(n, "S-" + std::to_string(n), {"main"});
    process->platform.rules["main"] = [this](const std::string&, std::uint32_t nth) {
      return rule ? rule(nth) : Platform::status(200, 50ms);
    };
    ASSERT_TRUE(process->get(process->delivery.pause("main", false, {})));
  }
  std::size_t delivered_in(Duration length) {
    const std::size_t before = process->platform.applied["main"].size();
    process->run_for(length);
    return process->platform.applied["main"].size() - before;
  }
  std::size_t started_in(Duration length) {
    const std::size_t before = process->platform.starts["main"].size();
    process->run_for(length);
    return process->platform.starts["main"].size() - before;
  }
  std::function<Answer(std::uint32_t)> rule;
};

TEST_F(Protection, FlowsAgainTwoSecondsAfterHealing) {
  for (const auto& illness : illnesses)
    for (const Duration lasted : std::initializer_list<Duration>{100ms, 1200ms, 4s, 33s, 10min}) {
      platter = {};
      rule = {};
      begin();
      process->run_for(2s);
      rule = [&](std::uint32_t) { return illness.answer; };
      process->run_for(lasted);
      rule = {};
      process->run_for(2s);
      EXPECT_GE(delivered_in(1s), 280u) << illness.name << " for " << lasted.count() / 1'000'000;
      process->run_for(30s);
      EXPECT_EQ(process->platform.applied["main"].size(), 4000u) << illness.name;
      EXPECT_EQ(row("main").counts.parked, 0u);
      EXPECT_FALSE(process->platform.two_of_a_patient);
    }
}

TEST_F(Protection, SendsHardlyAnythingWhileItIsIll) {
  for (const auto& illness : illnesses) {
    platter = {};
    rule = {};
    begin();
    process->run_for(2s);
    rule = [&](std::uint32_t) { return illness.answer; };
    EXPECT_LE(started_in(1s), 16u + 16u + 4u) << illness.name;
    process->run_for(9s);
    const auto retried = process->figures.counters[Counter::deliveries_retried];
    const std::size_t tries = started_in(10min);
    EXPECT_GE(tries, 600u) << illness.name;
    EXPECT_LE(tries, 820u) << illness.name;
    EXPECT_LE(process->figures.counters[Counter::deliveries_retried] - retried, 820u);
    EXPECT_NE(row("main").status.breaker, relay::BreakerState::closed);
    EXPECT_EQ(process->log.count("destination.at_fault"), 1u) << illness.name;
  }
}

// Negative control of the first test: a breaker that is never half open.
TEST_F(Protection, WithoutProbesItStaysShut) {
  auto settings = settings_of("main");
  settings.probe_every = 1000h;
  for (const auto& illness : illnesses) {
    platter = {};
    rule = {};
    begin(settings);
    process->run_for(2s);
    rule = [&](std::uint32_t) { return illness.answer; };
    process->run_for(33s);
    rule = {};
    process->run_for(2s);
    EXPECT_LT(delivered_in(1s), 280u) << illness.name;
  }
}

TEST_F(Protection, KeepsAtItWhileOneInFiveFails) {
  begin();
  rule = [&](std::uint32_t) {
    return world.random().chance(0.2) ? Platform::status(500) : Platform::status(200, 50ms);
  };
  process->run_for(3s);
  EXPECT_GE(delivered_in(3s), 3u * 320 * 75 / 100);
  EXPECT_EQ(row("main").status.breaker, relay::BreakerState::closed);
}

// The first try of one diary in two fails, each later one succeeds: without a budget every other
// try would be a retry.
TEST_F(Protection, SpendsATenthOfItsTriesOnRetries) {
  for (const bool budget : {true, false}) {
    platter = {};
    auto settings = settings_of("main");
    settings.retry_floor_per_s = 1;
    if (!budget) settings.retry_share_max = 1e9;  // the control
    settings.retry_base = 1ms;
    begin(settings, 2000);
    std::uint64_t first = 0, again = 0, n = 0;
    rule = [&](std::uint32_t nth) {
      nth == 1 ? ++first : ++again;
      return nth == 1 && ++n % 2 == 0 ? Platform::status(500, 50ms) : Platform::status(200, 50ms);
    };
    process->run_for(5s);
    const double allowed = 0.1 * static_cast<double>(first) + 10 + 5;
    EXPECT_EQ(static_cast<double>(again) <= allowed, budget) << first << " first, " << again;
    process->run_for(1h);
    EXPECT_EQ(process->platform.applied["main"].size(), 2000u);  // nothing waits for ever
  }
}

TEST_F(Protection, RetriesThatFillTheWindowGoWithoutABudget) {
  auto settings = settings_of("main");
  settings.window = 64;
  settings.retry_floor_per_s = 1;
  settings.retry_base = 1ms;
  begin(settings, 2000);
  std::uint64_t n = 0;
  rule = [&](std::uint32_t nth) {
    return Platform::status(nth == 1 && ++n % 5 < 2 ? 500 : 200, 50ms);
  };
  process->run_for(20s);
  EXPECT_GE(process->platform.applied["main"].size(), 1950u);
}

TEST_F(Protection, AnHourOfRetryAfterIsHonouredUntilSomebodyResumes) {
  begin();
  process->run_for(2s);
  rule = [](std::uint32_t) {
    auto answer = Platform::status(429);
    answer.reply.retry_after = "3600";
    return answer;
  };
  process->run_for(1s);
  rule = {};
  EXPECT_EQ(started_in(50min), 0u);
  EXPECT_EQ(row("main").status.breaker_cause, relay::BreakerCause::told);
  EXPECT_GT(row("main").status.shut_for, 9min);
  ASSERT_TRUE(process->get(process->delivery.pause("main", false, {})));
  process->run_for(2s);
  EXPECT_GE(delivered_in(1s), 280u);
}

TEST_F(Protection, WithoutAPersonItGoesOnWhenTheHourIsOver) {
  begin();
  process->run_for(2s);
  rule = [](std::uint32_t) {
    auto answer = Platform::status(503);
    answer.reply.retry_after = "86400";  // a day: cut to the hour of retry_after_max
    return answer;
  };
  process->run_for(1s);
  rule = {};
  EXPECT_EQ(started_in(1h - 2s), 0u);
  process->run_for(5s);
  EXPECT_GE(delivered_in(1s), 280u);
}

TEST_F(Protection, ASlowerDestinationGetsAllItCanTake) {
  begin(settings_of("main"), 2000);
  rule = [](std::uint32_t) { return Platform::status(200, 200ms); };
  process->run_for(3s);
  EXPECT_GE(delivered_in(10s), 10u * 80 * 95 / 100);
}

TEST_F(Protection, OnePoisonedDiaryIsTriedSeldomBesideHealthyOnes) {
  start();
  process->platform.rules["main"] = [](const std::string& subject, std::uint32_t) {
    return Platform::status(subject == "S-0" ? 500 : 200);
  };
  process->commit(1, "S-0", {"main"});
  std::uint64_t n = 2;
  for (int i = 0; i < 600; ++i) {
    process->commit(n, "S-" + std::to_string(n), {"main"});
    ++n;
    process->run_for(500ms);
  }
  EXPECT_EQ(process->platform.applied["main"].size(), 600u);
  EXPECT_LE(process->platform.tries[id_of(1)], 60u);
  EXPECT_EQ(process->log.count("destination.at_fault"), 0u);
}

TEST_F(Protection, IsShownToPeopleAndToPrometheus) {
  begin();
  process->run_for(2s);
  rule = [](std::uint32_t) { return Platform::status(503); };
  process->run_for(10s);
  const auto rows = process->get(process->delivery.list());
  const std::string json = outbox_list_json(*rows, process->clock.wall());
  for (const char* part :
       {R"("breakerCause":"faults")", R"("breakerSince":"2026-)", R"("throttleProbability":)",
        R"("concurrencyLimit":8)", R"("retryBudgetLeft":)"})
    EXPECT_NE(json.find(part), std::string::npos) << part << json;
  const std::string text = outbox_list_text(*rows, process->clock.wall());
  EXPECT_NE(text.find("at fault for 9 s (faults), next try in 1 s"), std::string::npos) << text;
  std::string metrics;
  process->delivery.expose(metrics);
  for (const char* part : {R"(vesper_relay_breaker_state{destination="main",state="closed"} 0)",
                           R"(vesper_relay_breaker_cause{destination="main",cause="faults"} 1)",
                           R"(vesper_relay_breaker_changes_total{destination="main"} 1)",
                           R"(vesper_relay_concurrency_limit{destination="main"} 8)"})
    EXPECT_NE(metrics.find(part), std::string::npos) << part << '\n' << metrics;
}

TEST(GateRule, ScalesWithTheDeadline) {
  auto settings = settings_of("main");
  EXPECT_EQ(gate_rule(settings).slow_least, 2500ms);
  settings.deadline = 300ms;
  settings.concurrency = 1;
  EXPECT_EQ(gate_rule(settings).slow_least, 150ms);
  EXPECT_EQ(gate_rule(settings).stalled_least, 75ms);
  EXPECT_EQ(gate_rule(settings).concurrency.first, 1u);
  settings.slow_from = 1s;
  EXPECT_EQ(gate_rule(settings).slow_least, 1s);
}

}  // namespace
}  // namespace vesper
