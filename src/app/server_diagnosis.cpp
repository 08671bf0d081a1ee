// What a person or a profiler asks of a running, or stuck, server: all on the admin thread.
#include <fmt/format.h>
#include <malloc.h>

#include <charconv>

#include "app/server.hpp"

#include "app/server_shard.hpp"
#include "app/settings.hpp"
#include "flows/diagnose/vars.hpp"
#include "flows/replies.hpp"
#include "flows/routes.hpp"
#include "io/http/shard.hpp"
#include "io/profile/profile_builder.hpp"

namespace vesper {
namespace {

constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view profile_index = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Profiles</title></head>
<body>
<h1>/debug/pprof/</h1>
<ul>
<li><a href="goroutine?debug=1">goroutine</a>: every live task, counted
  (<a href="goroutine?debug=2">one block each</a>; <code>go tool pprof</code> reads
  <code>goroutine</code> itself)</li>
<li><a href="symbol">symbol</a>: names for the addresses of a profile in text</li>
</ul>
<p>See also <a href="/debug/vars">/debug/vars</a>.</p>
</body></html>
)";

std::string goroutine_profile(std::span<const TaskRecord::View> tasks, WallTime now) {
  constexpr ProfileBuilder::ValueType type{"goroutine", "count"};
  ProfileBuilder profile{{&type, 1}};
  for (const auto& group : group_tasks(tasks)) {
    std::vector<ProfileBuilder::Frame> stack;
    for (const auto& frame : stack_of(group.task))
      stack.push_back({frame.function, frame.file, frame.line});
    const std::array<std::int64_t, 1> count{static_cast<std::int64_t>(group.count)};
    const std::array<ProfileBuilder::Label, 3> labels{{{"task", group.task.name},
                                                       {"scope", group.task.owner->path},
                                                       {"thread", group.task.owner->thread}}};
    profile.add(stack, count, labels);
  }
  profile.set_time(now, Duration::zero());
  profile.set_period(type, 1);
  return profile.finish();
}

/// `0x100+0x200`, as pprof asks.
std::string names_of(std::string_view asked, const FrameAddresses& addresses) {
  std::string out = "num_symbols: 1\n";
  while (!asked.empty()) {
    const std::size_t end = std::min(asked.find('+'), asked.size());
    std::string_view one = asked.substr(0, end);
    asked.remove_prefix(std::min(end + 1, asked.size()));
    if (one.starts_with("0x")) one.remove_prefix(2);
    std::uint64_t address = 0;
    std::from_chars(one.data(), one.data() + one.size(), address, 16);
    const std::string_view name = addresses.name_of(address);
    if (!name.empty()) out += fmt::format("{:#x}\t{}\n", address, name);
  }
  return out;
}

void answer(Exchange& exchange, std::string_view type, std::string body) {
  exchange.reply.status = 200;
  exchange.reply.content_type = type;
  exchange.reply.add_header("Cache-Control", "no-store");
  exchange.reply.body = std::move(body);
}

}  // namespace

void Server::dump_tasks(Exchange& exchange) {
  const std::string debug = query_parameter(exchange.head.query, "debug").value_or("0");
  auto tasks = tasks_->tasks();
  if (debug == "2")
    return answer(exchange, text_type, task_list_text(std::move(tasks), clock_.now()));
  if (debug == "1") return answer(exchange, text_type, task_counts_text(tasks, frame_addresses_));
  if (debug != "0")
    return refuse(exchange.reply, 400, IssueCode::invalid, "debug must be 0, 1 or 2.");
  answer(exchange, "application/octet-stream", goroutine_profile(tasks, clock_.wall()));
  exchange.reply.add_header("Content-Disposition", "attachment; filename=\"goroutine.pb.gz\"");
}

void Server::measure_http() {
  const auto figure = [](const std::atomic<std::size_t>& of) {
    return static_cast<std::int64_t>(of.load(std::memory_order_relaxed));
  };
  metrics_.set(Gauge::connections_max, figure(load_->connections_max));
  metrics_.set(Gauge::bytes_in_flight, figure(load_->bytes));
  metrics_.set(Gauge::bytes_in_flight_max, figure(load_->bytes_max));
}

Vars Server::vars() const {
  Vars vars;
  const Instant now = clock_.now();
  vars.uptime = now - began_;
  const auto heap = mallinfo2();
  vars.allocated_bytes = heap.uordblks + heap.hblkhd;
  vars.mapped_bytes = heap.arena + heap.hblkhd;
  vars.resident_bytes = resident_bytes();
  vars.descriptors = open_descriptors();
  vars.tasks_live = tasks_->live();
  vars.tasks_stalled = stall_watch_.stalled();
  vars.scopes = tasks_->scopes();
  const auto level = [](const std::atomic<std::size_t>& depth, std::size_t capacity,
                        const HighWater& most) -> QueueFigures {
    return {depth.load(std::memory_order_relaxed), capacity, most.value(), {}};
  };
  vars.queues.emplace_back("http.connections", level(load_->connections, load_->connections_max,
                                                     load_->connections_most));
  vars.queues.emplace_back("http.bytes", level(load_->bytes, load_->bytes_max, load_->bytes_most));
  for (auto& queue : store_->queues()) vars.queues.push_back(std::move(queue));
  vars.queues.emplace_back("log.bytes", log_.figures());
  for (auto& [name, figures] : delivery_->windows())
    vars.queues.emplace_back("delivery." + name, figures);
  for (const auto& shard : shards_) {
    const auto& figures = shard->server->figures();
    const Instant turned{Duration{figures.last_sweep.load(std::memory_order_relaxed)}};
    vars.shards.push_back({shard->loop.name(), figures.connections.load(), figures.buffers.load(),
                           figures.requests.load(), Duration{figures.loop_lag_ns.load()},
                           turned == Instant{} ? Duration::zero() : now - turned});
  }
  return vars;
}

void Server::add_diagnosis_routes() {
  const auto add = [this](Method method, std::string_view path, auto serve) {
    admin_service_->add(method, path,
                        [serve](Exchange& exchange, std::string_view) -> asio::awaitable<void> {
                          serve(exchange);
                          co_return;
                        });
  };
  add(Method::get, "/debug/vars",
      [this](Exchange& exchange) { answer(exchange, json_type, vars_json(vars())); });
  add(Method::get, "/debug/pprof", [](Exchange& exchange) {
    answer(exchange, "text/html; charset=utf-8", std::string{profile_index});
    exchange.reply.add_header("Content-Security-Policy", "default-src 'none'");
  });
  add(Method::get, "/debug/pprof/goroutine", [this](Exchange& exchange) { dump_tasks(exchange); });
  add(Method::get, "/debug/pprof/symbol", [this](Exchange& exchange) {
    answer(exchange, text_type, names_of(exchange.head.query, frame_addresses_));
  });
  add(Method::post, "/debug/pprof/symbol", [this](Exchange& exchange) {
    answer(exchange, text_type, names_of(exchange.body, frame_addresses_));
  });
}

}  // namespace vesper
