// One evening: quiet, the fault, a second to settle, quiet again; then everything must be delivered
// and nothing left behind.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>

#include "drill/drill.hpp"

namespace vesper::drill {
namespace {

constexpr Duration look_every = 250ms, settle_for = 1s, drain_longest = 60s, rest = 1500ms,
                   stop_longest = 10s, warm_up = 1s, stall_for = 3s;
constexpr double memory_growth_max_mib = 64;
constexpr std::uint32_t deliveries_at_once = 16, descriptors_spare = 12;

double ms(Duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}
double as_double(std::uint64_t count) {
  return static_cast<double>(count);
}
double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

surge::ArrivalCurve curve_of(const Drill& drill, const DrillOptions& options) {
  const double rate = options.rate_per_s, during = rate * drill.shape.times;
  return {.segments = {{options.quiet_for, rate, rate},
                       {options.fault_for, during, during},
                       {settle_for, rate, rate},
                       {options.quiet_for, rate, rate}},
          .pushes = {}};
}

std::map<std::string, std::string> usual_settings() {
  return {{"VESPER__UPSTREAM__DEFAULT__CONCURRENCY_MAX", fmt::format("{}", deliveries_at_once)},
          {"VESPER__UPSTREAM__DEFAULT__DEADLINE_MS", "2000"},
          {"VESPER__INTAKE__SHARDS", "2"}};
}

// Everything acknowledged has taken effect and the server owes nothing.
asio::awaitable<Duration> drain(Act& act) {
  const Instant began = act.rig.clock().now();
  const Deadline deadline{began + drain_longest};
  while (!deadline.passed(act.rig.clock().now())) {
    const Moment moment = co_await act.watch.look();
    if (moment.answered && moment.owed == 0 && moment.queue == 0) break;
    co_await act.rig.sleep(look_every);
  }
  co_return act.rig.clock().now() - began;
}

// The next delivery is confirmed and never applied, or applied two times.
void spoil_platform(Act& act) {
  standin::Behaviour spoilt;
  spoilt.next = 1;
  if (act.options.control == Control::lie) spoilt.mode = standin::Behaviour::Mode::lie;
  if (act.options.control == Control::twice) spoilt.mode = standin::Behaviour::Mode::twice;
  if (spoilt.mode != standin::Behaviour::Mode::ok) act.rig.platform().behave(spoilt);
}

asio::awaitable<void> stall(Act& act) {
  act.rig.child().signal(SIGSTOP);
  co_await act.rig.sleep(stall_for + act.options.latency_max);
  act.rig.child().signal(SIGCONT);
}

void hold_answers(Act& act, const Drill& drill, const surge::Report& report) {
  Result& result = act.result;
  const auto quiet = [&](const char* when, const char* figure, std::size_t phase) {
    const surge::Tally& tally = report.phases[phase].all;
    const Duration p99 = tally.accepted_latency.percentile(0.99);
    result.hold(
        fmt::format("{}, p99 of accepted is at most {:.0f} ms", when, ms(act.options.latency_max)),
        p99 <= act.options.latency_max, fmt::format("{:.2f} ms", ms(p99)));
    // Not none: a machine that does other things beside may hold everybody up a moment.
    const double refused = as_double(tally.refused), tries = as_double(tally.tries);
    result.hold(fmt::format("{}, at most {:g} % are refused, and nothing else fails", when,
                            act.options.refused_max_percent),
                refused <= tries * act.options.refused_max_percent / 100 &&
                    tally.refused + tally.accepted == tally.tries,
                fmt::format("{} accepted, {} refused of {} tries", tally.accepted, tally.refused,
                            tally.tries));
    result.figures.push_back({figure, ms(p99), 3, 50});
  };
  const DrillShape& shape = drill.shape;
  quiet("before the fault", "before_p99_ms", phase_before);
  if (!shape.refuses && !shape.unanswered && !shape.laborious)
    quiet("during the fault", "during_p99_ms", phase_during);
  quiet("a second after the fault", "after_p99_ms", phase_after);
  const surge::Tally& during = report.phases[phase_during].all;
  if (drill.shape.refuses) {
    const double told = ms(during.refused_latency.percentile(0.99));
    result.hold("who is refused is told early", told <= ms(act.options.latency_max),
                fmt::format("p99 {:.2f} ms of {} refusals", told, during.refused));
  }
  if (!drill.shape.unanswered)
    result.hold("nobody is left without an answer", report.total.timed_out + report.total.cut == 0,
                fmt::format("{} timed out, {} cut, of {} tries", report.total.timed_out,
                            report.total.cut, report.total.tries));
  result.hold("every diary is in at the end, or its patient told to come back",
              report.crowd.failed == 0,
              fmt::format("{} of {} in, {} given up after refusals, {} failed", report.crowd.in,
                          report.crowd.diaries, report.crowd.given_up + report.crowd.unfinished,
                          report.crowd.failed));
}

void hold_rest(Act& act, const Moment& before, const Moment& after) {
  Result& result = act.result;
  const double growth = after.process.memory_mib - before.process.memory_mib;
  result.hold(fmt::format("memory grows by at most {:.0f} MiB", memory_growth_max_mib),
              growth <= memory_growth_max_mib,
              fmt::format("{:.1f} MiB, to {:.1f}", growth, after.process.memory_mib));
  result.figures.push_back({"memory_growth_mib", std::max(0.0, growth), 2, 16});
  const bool closed = after.process.descriptors <=
                      before.process.descriptors + deliveries_at_once + descriptors_spare;
  result.hold(
      "no descriptor is left behind", closed,
      fmt::format("{} before, {} after", before.process.descriptors, after.process.descriptors));
  result.hold("no connection, queue entry or debt is left behind",
              after.answered && after.connections == 0 && after.queue == 0 && after.owed == 0,
              fmt::format("{:.0f} connections, {:.0f} queued, {:.0f} owed", after.connections,
                          after.queue, after.owed));
  if (after.tasks >= 0)
    result.hold("no task is left behind", after.tasks <= before.tasks + deliveries_at_once,
                fmt::format("{:.0f} before, {:.0f} after", before.tasks, after.tasks));
}

void hold_readiness(Act& act, const Drill& drill) {
  std::size_t unready = 0, looks = 0;
  for (const Moment& moment : act.watch.moments()) {
    ++looks;
    if (moment.ready_status != 200) ++unready;
  }
  if (!drill.shape.unready)
    act.result.hold("readyz stays 200", unready == 0,
                    fmt::format("{} of {} looks", unready, looks));
}

asio::awaitable<std::expected<void, std::string>> play(const Drill& drill, Act& act) {
  const DrillOptions& options = act.options;
  const Moment before = co_await act.watch.look();
  const Instant began = co_await act.offer.start();
  const Instant fault_begins = began + options.quiet_for;
  act.fault_ends = fault_begins + options.fault_for;
  co_await act.rig.clock().sleep_until(fault_begins);
  options.say("the fault begins");
  co_await drill.fault(act);
  options.say("the fault is over");
  spoil_platform(act);
  co_await act.rig.clock().sleep_until(act.fault_ends + settle_for + options.quiet_for / 2);
  if (options.control == Control::stall) co_await stall(act);
  const auto report = co_await act.offer.done();
  if (!report) co_return std::unexpected(report.error());
  options.say("waiting for the last deliveries");
  const Duration drained = co_await drain(act);
  co_await act.rig.sleep(rest);
  const Moment after = co_await act.watch.look();
  act.watch.stop();
  for (const Abandoned& diary : act.abandoned)
    act.offer.ledger().tried(diary.patient, diary.delivery, diary.sent, diary.sent, Told::nothing);
  const auto effects = act.rig.platform().ask(
      [](standin::Platform& platform, standin::PlatformServer&) { return platform.effects(); });
  hold_ledger(act.result, act.offer.ledger().judge(effects));
  hold_answers(act, drill, *report);
  hold_readiness(act, drill);
  act.result.hold("all that is owed is delivered soon", drained < drain_longest,
                  fmt::format("{:.1f} s after the last diary", seconds(drained)));
  act.result.figures.push_back({"drain_s", seconds(drained), 2, 3});
  hold_rest(act, before, after);
  if (drill.judge != nullptr) drill.judge(act, *report);
  const auto ended = co_await act.rig.stop(stop_longest);
  act.result.hold(
      "it ends within 10 s when told to", ended && !ended->by_signal && ended->code == 0,
      !ended ? "it did not"
             : fmt::format("{} {}", ended->by_signal ? "signal" : "status", ended->code));
  act.result.notes.push_back(fmt::format(
      "the generator was {}; {} diaries, {} tries, p99 before {:.2f} ms, during {:.2f} ms",
      surge::text_of(surge::verdict_of(*report)), report->crowd.diaries, report->total.tries,
      ms(report->phases[phase_before].all.accepted_latency.percentile(0.99)),
      ms(report->phases[phase_during].all.accepted_latency.percentile(0.99))));
  co_return std::expected<void, std::string>{};
}

surge::Plan plan_of(const Rig& rig, const Drill& drill, const DrillOptions& options) {
  // Each patient sends every two seconds: there is an order to be kept.
  const auto patients = static_cast<std::uint32_t>(std::max(8.0, options.rate_per_s * 2));
  surge::Plan plan = offer_plan(rig, patients, curve_of(drill, options));
  plan.connections = 512;
  plan.retry.habit = drill.shape.returns ? surge::RetryHabit::told : surge::RetryHabit::none;
  plan.try_timeout = 5s;
  plan.patience = 10s;
  plan.seed = options.seed;
  return plan;
}

asio::awaitable<std::expected<void, std::string>> perform(const Drill& drill, Rig& rig,
                                                          const DrillOptions& options,
                                                          Result& result) {
  if (auto started = co_await rig.start(); !started) co_return started;
  co_await rig.sleep(warm_up);
  Watch watch{rig, look_every};
  Offer offer{rig, plan_of(rig, drill, options)};
  Act act{options, rig, watch, offer, result, {}, {}, {}, {}};
  rig.scope().spawn(rig.context().get_executor(), "watch", for_ever, watch.run());
  auto played = co_await play(drill, act);
  watch.stop();
  while (!watch.ended()) co_await rig.sleep(look_every);
  co_return played;
}

}  // namespace

asio::awaitable<void> Act::heal_platform() {
  const auto count = [](standin::Platform& platform, standin::PlatformServer&) {
    return platform.effects().size();
  };
  const std::size_t effects = rig.platform().ask(count);
  rig.platform().behave({});
  const Instant healed = rig.clock().now();
  const Deadline deadline{healed + options.quiet_for};
  while (rig.platform().ask(count) == effects && !deadline.passed(rig.clock().now()))
    co_await rig.sleep(10ms);
  resumed_in = rig.clock().now() - healed;
}

std::expected<Result, std::string> run_drill(const Drill& drill, const DrillOptions& options) {
  raise_own_descriptors();
  Result result;
  result.drill = drill.name;
  result.summary = drill.summary;
  result.seed = options.seed;
  if (options.control != Control::none) result.control = name_of(options.control);
  if (drill.unable != nullptr) result.skipped = drill.unable(options);
  RigPlan plan{.program = options.program,
               .environment = options.environment,
               .settings = usual_settings(),
               .limits = {},
               .seed = options.seed};
  if (drill.prepare != nullptr) drill.prepare(plan, options);
  Rig rig{std::move(plan)};
  result.began = rig.clock().wall();
  if (!result.skipped.empty()) return result;
  const Instant began = rig.clock().now();
  std::expected<void, std::string> performed = std::unexpected("interrupted");
  asio::signal_set signals{rig.context(), SIGINT, SIGTERM};
  signals.async_wait([&](boost::system::error_code failed, int) {
    if (!failed) rig.context().stop();
  });
  rig.scope().spawn(rig.context().get_executor(), "drill", for_ever,
                    [&](TaskRecord*) -> asio::awaitable<void> {
                      performed = co_await perform(drill, rig, options, result);
                      signals.cancel();
                    });
  rig.context().run();
  result.seconds = seconds(rig.clock().now() - began);
  if (!performed) return std::unexpected(fmt::format("{}: {}", drill.name, performed.error()));
  return result;
}

}  // namespace vesper::drill
