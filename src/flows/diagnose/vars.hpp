#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/queue_figures.hpp"
#include "base/task_record.hpp"

namespace vesper {

/// What `/debug/vars` tells at one moment.
///   Units: durations as seconds, sizes as bytes.
struct Vars {
  struct Shard {
    std::string name;
    std::uint64_t connections = 0, buffers = 0, requests = 0;
    Duration loop_lag{}, since_turn{};
  };
  Duration uptime{};
  std::uint64_t resident_bytes = 0, allocated_bytes = 0, mapped_bytes = 0, descriptors = 0;
  std::uint64_t tasks_live = 0, tasks_stalled = 0;
  std::vector<std::pair<std::string, QueueFigures>> queues;
  std::vector<Shard> shards;
  std::vector<const ScopeRecord*> scopes;
};

/// One JSON object, in the manner of Go's expvar.
[[nodiscard]] std::string vars_json(const Vars& vars);

}  // namespace vesper
