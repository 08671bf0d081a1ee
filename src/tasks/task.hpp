#pragma once
#include <memory>
#include <utility>

#include "tasks/task_registry.hpp"

namespace vesper {

/// A task's place in the registry, for as long as the work lives.
///   Shape:  move-only; made by TaskScope. An empty one marks nothing.
///   Thread: the work's.
class Task {
 public:
  Task() = default;
  /// `slab` and `owner` are the registry's.
  Task(std::shared_ptr<TaskRegistry> registry, TaskSlab* slab, TaskRecord* record,
       ScopeRecord* owner)
      : registry_(std::move(registry)), slab_(slab), record_(record), owner_(owner) {}
  Task(Task&& other) noexcept
      : registry_(std::move(other.registry_)),
        slab_(other.slab_),
        record_(std::exchange(other.record_, nullptr)),
        owner_(std::exchange(other.owner_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    end();
    registry_ = std::move(other.registry_);
    slab_ = other.slab_;
    record_ = std::exchange(other.record_, nullptr);
    owner_ = std::exchange(other.owner_, nullptr);
    return *this;
  }
  ~Task() { end(); }

  void mark(StaticText site, Instant now, Instant until = Instant::max()) {
    if (record_ != nullptr) record_->mark(site, now, until);
  }
  /// To be handed on to what the work awaits; may be none.
  [[nodiscard]] TaskRecord* record() const { return record_; }
  void end() {
    if (owner_ != nullptr)
      std::exchange(owner_, nullptr)->live.fetch_sub(1, std::memory_order_relaxed);
    if (record_ != nullptr) slab_->remove(std::exchange(record_, nullptr));
  }

 private:
  std::shared_ptr<TaskRegistry> registry_;
  TaskSlab* slab_ = nullptr;
  TaskRecord* record_ = nullptr;
  ScopeRecord* owner_ = nullptr;
};

}  // namespace vesper
