#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/queue_figures.hpp"
#include "io/sqlite/journal_reader.hpp"
#include "ports/clock.hpp"
#include "tasks/task_thread.hpp"

namespace vesper {

/// The threads that read, apart from the one that commits; each has a connection of its own.
///   Bounds: a fixed number of reads waiting.
///   Thread: offer() any.
class ReadThreads {
 public:
  /// nullptr: the reader is going away and the read has not happened.
  using Read = std::move_only_function<void(JournalReader*)>;

  ReadThreads(std::vector<std::unique_ptr<JournalReader>> readers, Clock& clock,
              const TaskScope& scope);
  ~ReadThreads();
  /// False: too many are waiting, or they have stopped; `read` was not taken.
  [[nodiscard]] bool offer(Read& read);
  void stop();
  /// Any thread.
  [[nodiscard]] QueueFigures figures() const;

 private:
  struct Waiter {
    Read read;
    Instant since;
  };
  void run(const std::stop_token& stopping, JournalReader& reader, TaskRecord* task);

  static constexpr std::size_t waiting_max = 4096;
  std::vector<std::unique_ptr<JournalReader>> readers_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Waiter> waiting_;
  HighWater most_;
  Duration waited_{};
  bool stopped_ = false;
  std::vector<TaskThread> threads_;
};

}  // namespace vesper
