#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/queue_figures.hpp"
#include "io/sqlite/journal_reader.hpp"
#include "ports/clock.hpp"
#include "ports/journal_store.hpp"
#include "tasks/task_thread.hpp"

namespace vesper {

/// The threads that read, apart from the one that commits; each has a connection of its own.
///   Bounds: a fixed number of reads waiting.
///   Thread: offer() any.
class ReadThreads {
 public:
  /// None: the read has not happened, and why.
  using Reader = std::expected<JournalReader*, StoreFault>;
  using Read = std::move_only_function<void(Reader)>;

  ReadThreads(std::vector<std::unique_ptr<JournalReader>> readers, Clock& clock,
              const TaskScope& scope);
  ~ReadThreads();
  /// Its number; 0: too many are waiting, or they have stopped; `read` was not taken.
  [[nodiscard]] std::uint64_t offer(Read& read, Deadline deadline);
  /// Answers departed to one that has not begun.
  void give_up(std::uint64_t number);
  /// Answers timed_out to all that have not begun by their deadline.
  void sweep(Instant now);
  void stop();
  /// Any thread.
  [[nodiscard]] QueueFigures figures() const;

 private:
  struct Waiter {
    Read read;
    Instant since;
    Deadline deadline;
    std::uint64_t number;
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
  std::uint64_t number_ = 0;
  bool stopped_ = false;
  std::vector<TaskThread> threads_;
};

}  // namespace vesper
