#pragma once
#include <functional>
#include <source_location>
#include <stop_token>
#include <string>
#include <thread>

#include "tasks/task_scope.hpp"

namespace vesper {

/// A thread that belongs to a scope: it has a name, stands in the registry, and is joined.
///   Shape:  work(stop, task); the destructor asks it to stop and joins.
///   Bounds: its name in the kernel is cut at 15 characters.
///   Thread: its maker's.
class TaskThread {
 public:
  using Work = std::move_only_function<void(const std::stop_token&, TaskRecord*)>;

  TaskThread() = default;
  TaskThread(TaskScope scope, StaticText name, std::string kernel_name, Work work,
             std::source_location created = std::source_location::current());

  [[nodiscard]] bool joinable() const { return thread_.joinable(); }
  void request_stop() { thread_.request_stop(); }
  void join() { thread_.join(); }

 private:
  std::jthread thread_;
};

}  // namespace vesper
