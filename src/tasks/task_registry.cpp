#include "tasks/task_registry.hpp"

#include <algorithm>

namespace vesper {

TaskSlab::~TaskSlab() {
  const std::size_t count = chunk_count_.load();
  for (std::size_t i = 0; i < count; ++i) delete chunks_[i].load();
}

TaskRecord* TaskSlab::add(TaskRecord::View view) {
  TaskRecord* task = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) {
      const std::size_t count = chunk_count_.load(std::memory_order_relaxed);
      if (count == chunks_max) return nullptr;
      auto* chunk = new Chunk;
      free_.reserve((count + 1) * chunk_tasks);
      for (std::size_t i = chunk_tasks; i-- > 0;) free_.push_back(&(*chunk)[i]);
      chunks_[count].store(chunk, std::memory_order_relaxed);
      chunk_count_.store(count + 1, std::memory_order_release);
    }
    task = free_.back();
    free_.pop_back();
    view.number = ++number_;
  }
  task->begin(view);
  return task;
}

void TaskSlab::remove(TaskRecord* task) {
  task->end();
  const std::lock_guard lock(mutex_);
  free_.push_back(task);
}

void TaskSlab::look(std::vector<TaskRecord::View>& into) const {
  const std::size_t count = chunk_count_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i)
    for (const TaskRecord& task : *chunks_[i].load(std::memory_order_relaxed)) {
      if (task.name.load(std::memory_order_relaxed) == nullptr) continue;
      const auto view = task.read();
      if (view.name != nullptr) into.push_back(view);
    }
}

std::shared_ptr<TaskSlab> TaskRegistry::add_slab(std::string thread) {
  auto slab = std::make_shared<TaskSlab>(std::move(thread));
  const std::lock_guard lock(mutex_);
  slabs_.push_back(slab);
  return slab;
}

ScopeRecord* TaskRegistry::add_scope(std::string path, const std::shared_ptr<TaskSlab>& slab) {
  const std::lock_guard lock(mutex_);
  ScopeRecord& scope = scopes_.emplace_back();
  scope.path = std::move(path);
  scope.thread = slab->thread();
  scope.last = &slab->last();
  return &scope;
}

std::vector<TaskRecord::View> TaskRegistry::tasks() const {
  std::vector<std::shared_ptr<TaskSlab>> slabs;
  {
    const std::lock_guard lock(mutex_);
    slabs = slabs_;
  }
  std::vector<TaskRecord::View> views;
  views.reserve(live() + 64);
  for (const auto& slab : slabs) slab->look(views);
  return views;
}

std::vector<const ScopeRecord*> TaskRegistry::scopes() const {
  const std::lock_guard lock(mutex_);
  std::vector<const ScopeRecord*> scopes;
  for (const auto& scope : scopes_) scopes.push_back(&scope);
  return scopes;
}

std::uint64_t TaskRegistry::live() const {
  const std::lock_guard lock(mutex_);
  std::int64_t live = 0;
  for (const auto& scope : scopes_) live += scope.live.load(std::memory_order_relaxed);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(live, 0));
}

}  // namespace vesper
