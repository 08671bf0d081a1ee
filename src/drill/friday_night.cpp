#include "drill/friday_night.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <cmath>

#include "drill/offer.hpp"

namespace vesper::drill {
namespace {

constexpr Duration look_every = 250ms, slowing = 3s, slowing_step = 150ms, drain_longest = 40s,
                   stop_longest = 10s, warm_up = 1s;
constexpr double fast_ms = 20, slow_ms = 10'000;

double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

void answer_after(Rig& rig, double delay_ms) {
  standin::Behaviour behaviour;
  behaviour.delay_ms = static_cast<std::uint32_t>(delay_ms);
  rig.platform().behave(behaviour);
}

// From 20 ms to 10 s, each step the same factor.
asio::awaitable<void> slow_down(Rig& rig) {
  const auto steps = static_cast<int>(slowing / slowing_step);
  for (int i = 1; i <= steps; ++i) {
    answer_after(rig, fast_ms * std::pow(slow_ms / fast_ms, static_cast<double>(i) / steps));
    co_await rig.sleep(slowing_step);
  }
}

surge::Plan plan_of(const Rig& rig, const FridayOptions& options) {
  const double base = options.rate_per_s, peak = base * options.times;
  surge::Plan plan = offer_plan(rig, static_cast<std::uint32_t>(peak * 4),
                                {.segments = {{options.baseline, base, base},
                                              {options.peak, peak, peak},
                                              {options.after, base, base}},
                                 .pushes = {}});
  plan.connections = 2000;
  plan.retry.habit = surge::RetryHabit::told;
  plan.try_timeout = 5s;
  plan.patience = 10s;
  plan.seed = options.seed;
  plan.server_pid = static_cast<int>(rig.child_pid());
  return plan;
}

std::string words_for(const std::optional<ProcessEnd>& end, bool by_itself) {
  if (!end) return "did not end when told to";
  const std::string how =
      end->by_signal ? fmt::format("by signal {}", end->code) : fmt::format("with {}", end->code);
  return (by_itself ? "died in the evening, " : "ended when told to, ") + how;
}

void sum_up(FridaySide& side, Instant began, const Watch& watch) {
  const double before = seconds(began - watch.began());
  double cpu_first = -1, cpu_last = 0;
  for (Moment moment : watch.moments()) {
    moment.at_s -= before;
    if (moment.alive) {
      if (cpu_first < 0) cpu_first = moment.process.cpu_s;
      cpu_last = moment.process.cpu_s;
    }
    side.memory_max_mib = std::max(side.memory_max_mib, moment.process.memory_mib);
    side.descriptors_max = std::max(side.descriptors_max, moment.process.descriptors);
    side.tasks_max = std::max(side.tasks_max, moment.tasks);
    side.undelivered_max = std::max(side.undelivered_max, moment.acknowledged - moment.effects);
    side.moments.push_back(moment);
  }
  if (side.report.total.accepted > 0)
    side.cpu_us_per_accepted = (cpu_last - std::max(0.0, cpu_first)) * 1e6 /
                               static_cast<double>(side.report.total.accepted);
}

// Until nothing is owed, the service is gone, or nothing has moved for a while.
asio::awaitable<void> drain(Rig& rig, Watch& watch, const Offer& offer) {
  const Deadline deadline{rig.clock().now() + drain_longest};
  while (!deadline.passed(rig.clock().now())) {
    const Moment moment = co_await watch.look();
    if (!moment.alive) co_return;
    if (moment.effects >= static_cast<double>(offer.acknowledged())) co_return;
    if (moment.answered && moment.owed == 0 && moment.queue <= 0) co_return;
    co_await rig.sleep(look_every);
  }
}

asio::awaitable<std::expected<void, std::string>> play(Rig& rig, const FridayOptions& options,
                                                       FridaySide& side) {
  if (auto started = co_await rig.start(); !started) co_return started;
  answer_after(rig, fast_ms);
  co_await rig.sleep(warm_up);
  Offer offer{rig, plan_of(rig, options)};
  Watch watch{rig, look_every, [&offer] { return static_cast<double>(offer.acknowledged()); }};
  rig.scope().spawn(rig.context().get_executor(), "watch", for_ever, watch.run());
  const Instant began = co_await offer.start();
  co_await rig.clock().sleep_until(began + options.baseline);
  options.say(
      fmt::format("{}: {:g} times as much, and the platform slows", side.name, options.times));
  co_await slow_down(rig);
  co_await rig.clock().sleep_until(began + options.baseline + options.peak);
  options.say(side.name + ": the peak is over, the platform is well");
  answer_after(rig, fast_ms);
  auto report = co_await offer.done();
  if (report) co_await drain(rig, watch, offer);
  watch.stop();
  while (!watch.ended()) co_await rig.sleep(look_every);
  if (!report) co_return std::unexpected(report.error());
  side.report = *std::move(report);
  const bool died = rig.child().ended().has_value();
  const auto ended = co_await rig.stop(stop_longest);
  side.ended = words_for(ended, died);
  const auto effects = rig.platform().ask(
      [](standin::Platform& platform, standin::PlatformServer&) { return platform.effects(); });
  side.verdict = offer.ledger().judge(effects);
  sum_up(side, began, watch);
  co_return std::expected<void, std::string>{};
}

std::expected<FridaySide, std::string> evening(std::string name, RigPlan plan,
                                               const FridayOptions& options) {
  FridaySide side;
  side.name = std::move(name);
  options.say(side.name + ": the evening begins");
  Rig rig{std::move(plan)};
  std::expected<void, std::string> played = std::unexpected("interrupted");
  asio::signal_set signals{rig.context(), SIGINT, SIGTERM};
  signals.async_wait([&](boost::system::error_code failed, int) {
    if (!failed) rig.context().stop();
  });
  rig.scope().spawn(rig.context().get_executor(), "friday", for_ever,
                    [&](TaskRecord*) -> asio::awaitable<void> {
                      played = co_await play(rig, options, side);
                      signals.cancel();
                    });
  rig.context().run();
  if (!played) return std::unexpected(fmt::format("{}: {}", side.name, played.error()));
  return side;
}

}  // namespace

std::expected<FridayNight, std::string> run_friday_night(FridayOptions options) {
  raise_own_descriptors();
  FridayNight night;
  night.options = std::move(options);
  night.began = SystemClock{}.wall();
  const FridayOptions& wanted = night.options;
  RigPlan plan{.service = Service::naive,
               .program = wanted.naive,
               .environment = wanted.environment,
               .settings = {},
               .limits = wanted.limits,
               .seed = wanted.seed};
  if (wanted.naive.empty()) {
    night.notes.emplace_back("the incident's service is not at hand: build vesper_naive");
  } else {
    auto side = evening("naive", plan, wanted);
    if (!side) return std::unexpected(side.error());
    night.sides.push_back(*std::move(side));
  }
  plan.service = Service::vesper;
  plan.program = wanted.program;
  if (wanted.pace_per_s > 0) {
    plan.settings["VESPER__JOURNAL__PACE_PER_S"] = fmt::format("{}", wanted.pace_per_s);
    night.notes.push_back(fmt::format(
        "capacity is lowered: Vesper's journal is paced to {} diaries/s", wanted.pace_per_s));
  }
  auto side = evening("vesper", std::move(plan), wanted);
  if (!side) return std::unexpected(side.error());
  night.sides.push_back(*std::move(side));
  return night;
}

bool vesper_held(const FridayNight& night) {
  const LedgerVerdict& verdict = night.sides.back().verdict;
  return verdict.acknowledged > 0 && verdict.lost == 0 && verdict.doubled == 0 &&
         verdict.misordered == 0 && verdict.unexpected == 0;
}

}  // namespace vesper::drill
