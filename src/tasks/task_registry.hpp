#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/task_record.hpp"
#include "ports/clock.hpp"

namespace vesper {

/// The tasks of one thread, in chunks that are never moved or given back.
///   Bounds: tasks_max tasks; more are counted, and have no record.
///   Thread: add() and remove() any, under a lock that only this thread's starts and ends take;
///           look() any, without a lock.
class TaskSlab {
 public:
  static constexpr std::size_t chunk_tasks = 256, chunks_max = 4096;
  static constexpr std::size_t tasks_max = chunk_tasks * chunks_max;

  explicit TaskSlab(std::string thread) : thread_(std::move(thread)) {}
  TaskSlab(const TaskSlab&) = delete;
  TaskSlab& operator=(const TaskSlab&) = delete;
  ~TaskSlab();

  /// nullptr: full.
  [[nodiscard]] TaskRecord* add(TaskRecord::View view);
  void remove(TaskRecord* task);
  void look(std::vector<TaskRecord::View>& into) const;

  [[nodiscard]] const std::string& thread() const { return thread_; }
  [[nodiscard]] std::atomic<const TaskRecord*>& last() { return last_; }
  [[nodiscard]] const std::atomic<const TaskRecord*>& last() const { return last_; }

 private:
  using Chunk = std::array<TaskRecord, chunk_tasks>;
  const std::string thread_;
  std::atomic<const TaskRecord*> last_{nullptr};
  std::mutex mutex_;
  std::vector<TaskRecord*> free_;  // under mutex_
  std::uint32_t number_ = 0;       // under mutex_
  std::atomic<std::size_t> chunk_count_{0};
  std::array<std::atomic<Chunk*>, chunks_max> chunks_{};
};

/// Every live task and every scope of the process, readable while all threads are stuck.
///   Shape:  built by app/ and handed to scopes; there is no global one.
///   Bounds: scopes are few (threads, listeners, destinations) and kept for ever.
///   Thread: any; reading stops nobody and takes no lock that running work takes.
class TaskRegistry {
 public:
  /// `clock` may be none, and outlives this: then nothing is known of when tasks began.
  explicit TaskRegistry(const Clock* clock = nullptr) : clock_(clock) {}
  [[nodiscard]] Instant now() const { return clock_ == nullptr ? Instant{} : clock_->now(); }

  [[nodiscard]] std::shared_ptr<TaskSlab> add_slab(std::string thread);
  [[nodiscard]] ScopeRecord* add_scope(std::string path, const std::shared_ptr<TaskSlab>& slab);

  /// All live tasks, thread by thread.
  [[nodiscard]] std::vector<TaskRecord::View> tasks() const;
  [[nodiscard]] std::vector<const ScopeRecord*> scopes() const;
  [[nodiscard]] std::uint64_t live() const;

 private:
  const Clock* clock_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<TaskSlab>> slabs_;  // under mutex_
  std::deque<ScopeRecord> scopes_;                // under mutex_
};

}  // namespace vesper
