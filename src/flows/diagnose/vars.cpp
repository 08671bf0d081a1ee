#include "flows/diagnose/vars.hpp"

#include <fmt/format.h>

#include <iterator>
#include <map>

#include "base/encoding.hpp"

namespace vesper {
namespace {

double seconds(Duration length) {
  return std::chrono::duration<double>(length).count();
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  return out += '"';
}

// Scopes of equal paths (a part that was made anew) are one row.
void append_scopes(std::string& out, const std::vector<const ScopeRecord*>& scopes) {
  std::map<std::string_view, std::pair<std::int64_t, std::uint64_t>> rows;
  for (const auto* scope : scopes) {
    auto& [live, started] = rows[scope->path];
    live += scope->live.load(std::memory_order_relaxed);
    started += scope->started.load(std::memory_order_relaxed);
  }
  const char* comma = "";
  for (const auto& [path, row] : rows) {
    fmt::format_to(std::back_inserter(out), "{}\n    {}: {{\"live\": {}, \"started\": {}}}", comma,
                   quoted(path), row.first, row.second);
    comma = ",";
  }
}

}  // namespace

std::string vars_json(const Vars& vars) {
  std::string out;
  auto to = std::back_inserter(out);
  fmt::format_to(to,
                 "{{\n\"cmdline\": [\"vesper\", \"serve\"],\n\"uptime_seconds\": {:.3f},\n"
                 "\"memstats\": {{\"resident_bytes\": {}, \"allocated_bytes\": {}, "
                 "\"mapped_bytes\": {}}},\n\"descriptors\": {},\n\"queues\": {{",
                 seconds(vars.uptime), vars.resident_bytes, vars.allocated_bytes, vars.mapped_bytes,
                 vars.descriptors);
  const char* comma = "";
  for (const auto& [name, queue] : vars.queues) {
    fmt::format_to(to,
                   "{}\n  {}: {{\"depth\": {}, \"capacity\": {}, \"high_water\": {}, "
                   "\"blocked_seconds\": {:.6f}}}",
                   comma, quoted(name), queue.depth, queue.capacity, queue.high_water,
                   seconds(queue.blocked));
    comma = ",";
  }
  out += "\n},\n\"shards\": [";
  comma = "";
  for (const auto& shard : vars.shards) {
    fmt::format_to(to,
                   "{}\n  {{\"name\": {}, \"connections\": {}, \"buffers\": {}, \"requests\": {}, "
                   "\"loop_lag_seconds\": {:.6f}, \"since_turn_seconds\": {:.3f}}}",
                   comma, quoted(shard.name), shard.connections, shard.buffers, shard.requests,
                   seconds(shard.loop_lag), seconds(shard.since_turn));
    comma = ",";
  }
  fmt::format_to(to, "\n],\n\"tasks\": {{\"live\": {}, \"stalled\": {}, \"by_scope\": {{",
                 vars.tasks_live, vars.tasks_stalled);
  append_scopes(out, vars.scopes);
  out += "\n  }}\n}\n";
  return out;
}

}  // namespace vesper
