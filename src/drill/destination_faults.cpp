#include <fmt/format.h>

#include <algorithm>

#include "base/arena.hpp"
#include "base/json.hpp"
#include "drill/faults.hpp"

namespace vesper::drill {
namespace {

using standin::Behaviour;
using Mode = Behaviour::Mode;

constexpr Duration resumed_within = 2s;

Behaviour behaving(Mode mode, int status = 503) {
  Behaviour behaviour;
  behaviour.mode = mode;
  behaviour.status = status;
  return behaviour;
}

Duration left(const Act& act) {
  return Deadline{act.fault_ends}.remaining(act.rig.clock().now());
}

asio::awaitable<double> parked(Act& act) {
  const auto metrics = co_await act.rig.admin("/metrics");
  co_return metrics ? parse_samples(metrics->body)["vesper_outbox_parked"] : -1;
}

// The diaries that a wrong 400 parked are owed again, as an operator would do it.
asio::awaitable<std::size_t> redrive_parked(Act& act) {
  const auto shown = co_await act.rig.admin("/outbox/default");
  if (!shown || shown->status != 200) {
    act.result.notes.push_back("outbox: " + (shown ? shown->body : "no answer"));
    co_return 0;
  }
  Arena arena;
  const auto read = parse_json(shown->body, arena);
  const JsonValue* list = read ? (*read)->find("parked") : nullptr;
  if (list == nullptr || !list->is(JsonKind::array)) co_return 0;
  std::vector<std::string> deliveries;
  for (const JsonValue& one : *list)
    if (const JsonValue* id = one.find("deliveryId")) deliveries.emplace_back(id->text);
  std::size_t done = 0;
  for (const std::string& delivery : deliveries) {
    const auto reply = co_await act.rig.admin("/outbox/default/redrive/" + delivery, "POST");
    done += reply && reply->status == 200 ? 1 : 0;
    if (!reply || reply->status != 200)
      act.result.notes.push_back("redrive: " + (reply ? reply->body : "no answer"));
  }
  co_return done;
}

}  // namespace

// Half of the time nobody answers the connection, half of the time it is taken and never answered.
asio::awaitable<void> destination_dead(Act& act) {
  act.rig.platform().ask([](standin::Platform&, standin::PlatformServer& server) {
    server.close();
    return true;
  });
  co_await act.rig.sleep(left(act) / 2);
  const auto opened =
      act.rig.platform().ask([](standin::Platform& platform, standin::PlatformServer& server) {
        platform.behave(behaving(Mode::hang));
        return server.open(fmt::format("127.0.0.1:{}", server.endpoint().port()));
      });
  act.result.hold("the platform could be opened again", opened.has_value(),
                  opened ? "on its port" : opened.error());
  co_await act.rig.clock().sleep_until(act.fault_ends);
  co_await act.heal_platform();
}

// From 20 ms to 10 s, which is beyond every deadline, in steps.
asio::awaitable<void> destination_slow(Act& act) {
  constexpr std::uint32_t delays_ms[] = {20, 200, 1000, 10'000};
  const Duration step = left(act) / 6;
  for (const std::uint32_t delay : delays_ms) {
    Behaviour slow;
    slow.delay_ms = delay;
    act.rig.platform().behave(slow);
    co_await act.rig.sleep(step);
  }
  co_await act.rig.clock().sleep_until(act.fault_ends);
  co_await act.heal_platform();
}

// Every kind of wrong answer in turn; the 400 comes last and parks.
asio::awaitable<void> destination_wrong(Act& act) {
  const Behaviour wrongs[] = {behaving(Mode::redirect), behaving(Mode::html),
                              behaving(Mode::status, 404), behaving(Mode::garbage),
                              behaving(Mode::cut_middle)};
  const Duration step = left(act) / 6;
  for (const Behaviour& wrong : wrongs) {
    act.rig.platform().behave(wrong);
    co_await act.rig.sleep(step);
  }
  const double wrongly = co_await parked(act);
  act.result.hold("no 3xx, page, 404, garbage or cut answer parks a diary", wrongly == 0,
                  fmt::format("{:.0f} parked", wrongly));
  Behaviour picky = behaving(Mode::status, 400);
  picky.next = 5;
  act.rig.platform().behave(picky);
  const Deadline patience{act.fault_ends + 10s};
  while (co_await parked(act) <= 0 && !patience.passed(act.rig.clock().now()))
    co_await act.rig.sleep(100ms);
  co_await act.rig.clock().sleep_until(act.fault_ends);
  co_await act.heal_platform();
  std::size_t redriven = 0;
  for (int round = 0; round < 10 && redriven == 0; ++round) {
    co_await act.rig.sleep(200ms);
    redriven = co_await redrive_parked(act);
  }
  act.result.hold("a 400 parks its diary, and redrive owes it again", redriven > 0,
                  fmt::format("{} redriven", redriven));
}

void judge_resumption(Act& act, const surge::Report&) {
  const Duration took = act.resumed_in.value_or(Duration::max());
  act.result.hold("deliveries resume within 2 s of healing", took <= resumed_within,
                  fmt::format("{:.2f} s", std::chrono::duration<double>(took).count()));
  act.result.figures.push_back({"resumed_s", std::chrono::duration<double>(took).count(), 3, 1});
}

}  // namespace vesper::drill
