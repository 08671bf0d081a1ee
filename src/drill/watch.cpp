#include "drill/watch.hpp"

#include <charconv>

#include "base/arena.hpp"
#include "base/json.hpp"

namespace vesper::drill {
namespace {

constexpr std::size_t moments_max = 4000;

double value_of(const std::map<std::string, double, std::less<>>& samples, std::string_view name) {
  const auto found = samples.find(name);
  return found == samples.end() ? -1 : found->second;
}

}  // namespace

std::map<std::string, double, std::less<>> parse_samples(std::string_view text) {
  std::map<std::string, double, std::less<>> out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t blank = line.rfind(' ');
    if (line.starts_with('#') || blank == line.npos) continue;
    double value = 0;
    const char* end = line.data() + line.size();
    if (std::from_chars(line.data() + blank + 1, end, value).ptr == end)
      out.emplace(line.substr(0, blank), value);
  }
  return out;
}

std::optional<double> number_at(std::string_view json, std::string_view path) {
  Arena arena;
  const auto read = parse_json(json, arena);
  const JsonValue* at = read ? *read : nullptr;
  while (at != nullptr && !path.empty()) {
    const std::string_view name = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    at = at->find(name);
  }
  double value = 0;
  if (at == nullptr || !at->is(JsonKind::number) ||
      std::from_chars(at->text.data(), at->text.data() + at->text.size(), value).ec != std::errc{})
    return {};
  return value;
}

asio::awaitable<void> Watch::run() {
  while (!stopping_) {
    const Instant next = rig_.clock().now() + every_;
    co_await look();
    if (moments_.size() >= moments_max) {
      for (std::size_t i = 0; i < moments_.size() / 2; ++i) moments_[i] = moments_[2 * i];
      moments_.resize(moments_.size() / 2);
      every_ *= 2;
    }
    co_await rig_.clock().sleep_until(next);
  }
  ended_ = true;
}

asio::awaitable<Moment> Watch::look() {
  Moment moment;
  moment.at_s = std::chrono::duration<double>(rig_.clock().now() - began_).count();
  if (!rig_.child().ended()) {
    if (const auto state = rig_.child().state()) {
      moment.alive = true;
      moment.process = *state;
    }
  }
  const auto [effects, connections] =
      rig_.platform().ask([](standin::Platform& platform, standin::PlatformServer& server) {
        return std::pair{platform.effects().size(), server.connections()};
      });
  moment.acknowledged = acknowledged_();
  moment.effects = static_cast<double>(effects);
  moment.platform_connections = static_cast<double>(connections);
  if (moment.alive) {
    if (rig_.plan().service == Service::vesper)
      co_await ask_vesper(moment);
    else
      co_await ask_naive(moment);
  }
  moments_.push_back(moment);
  co_return moment;
}

asio::awaitable<void> Watch::ask_vesper(Moment& moment) {
  const auto ready = co_await rig_.admin("/readyz");
  moment.ready_status = ready ? ready->status : 0;
  const auto metrics = co_await rig_.admin("/metrics");
  if (!metrics || metrics->status != 200) co_return;
  moment.answered = true;
  const auto samples = parse_samples(metrics->body);
  moment.owed = value_of(samples, "vesper_outbox_owed");
  moment.queue = value_of(samples, "vesper_journal_queue_entries");
  moment.connections = value_of(samples, "vesper_http_connections");
  moment.stored = value_of(samples, R"(vesper_journal_diaries_total{outcome="stored"})");
  const auto vars = co_await rig_.admin("/debug/vars");
  if (vars && vars->status == 200) moment.tasks = number_at(vars->body, "tasks.live").value_or(-1);
}

asio::awaitable<void> Watch::ask_naive(Moment& moment) {
  const auto vars = co_await rig_.admin("/debug/vars");
  if (!vars || vars->status != 200) co_return;
  moment.answered = true;
  moment.tasks = number_at(vars->body, "tasks").value_or(-1);
  moment.owed = number_at(vars->body, "deliveries_waiting").value_or(-1);
  moment.connections = number_at(vars->body, "connections").value_or(-1);
  moment.stored = number_at(vars->body, "accepted").value_or(-1);
}

}  // namespace vesper::drill
