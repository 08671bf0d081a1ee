#include "base/task_record.hpp"

namespace vesper {
namespace {

std::int64_t ns_of(Instant instant) {
  return instant.time_since_epoch().count();
}

}  // namespace

void TaskRecord::begin(const View& view) {
  const std::uint32_t seen = open();
  number.store(view.number, std::memory_order_relaxed);
  name.store(view.name, std::memory_order_relaxed);
  site.store(view.site, std::memory_order_relaxed);
  owner.store(view.owner, std::memory_order_relaxed);
  created.store(view.created, std::memory_order_relaxed);
  born_ns.store(ns_of(view.born), std::memory_order_relaxed);
  since_ns.store(ns_of(view.since), std::memory_order_relaxed);
  deadline_ns.store(ns_of(view.deadline), std::memory_order_relaxed);
  close(seen);
}

void TaskRecord::end() {
  const std::uint32_t seen = open();
  name.store(nullptr, std::memory_order_relaxed);
  close(seen);
}

// A writer that was suspended in the middle of its stores must not hold a reader: after some tries
// what is there is taken. Each field is whole all the same.
TaskRecord::View TaskRecord::read() const {
  constexpr int tries_max = 64;
  View view;
  for (int i = 0; i < tries_max; ++i) {
    const std::uint32_t before = version.load(std::memory_order_acquire);
    view.number = number.load(std::memory_order_relaxed);
    view.name = name.load(std::memory_order_relaxed);
    view.site = site.load(std::memory_order_relaxed);
    view.owner = owner.load(std::memory_order_relaxed);
    view.created = created.load(std::memory_order_relaxed);
    view.born = Instant{Duration{born_ns.load(std::memory_order_relaxed)}};
    view.since = Instant{Duration{since_ns.load(std::memory_order_relaxed)}};
    view.deadline = Instant{Duration{deadline_ns.load(std::memory_order_relaxed)}};
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 == 0 && version.load(std::memory_order_relaxed) == before) break;
  }
  return view;
}

}  // namespace vesper
