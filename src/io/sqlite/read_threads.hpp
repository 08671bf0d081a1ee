#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "io/sqlite/journal_reader.hpp"
#include "tasks/task_thread.hpp"

namespace vesper {

/// The threads that read, apart from the one that commits; each has a connection of its own.
///   Bounds: a fixed number of reads waiting.
///   Thread: offer() any.
class ReadThreads {
 public:
  /// nullptr: the reader is going away and the read has not happened.
  using Read = std::move_only_function<void(JournalReader*)>;

  ReadThreads(std::vector<std::unique_ptr<JournalReader>> readers, const TaskScope& scope);
  ~ReadThreads();
  /// False: too many are waiting, or they have stopped; `read` was not taken.
  [[nodiscard]] bool offer(Read& read);
  void stop();

 private:
  void run(const std::stop_token& stopping, JournalReader& reader);

  static constexpr std::size_t waiting_max = 4096;
  std::vector<std::unique_ptr<JournalReader>> readers_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Read> waiting_;
  bool stopped_ = false;
  std::vector<TaskThread> threads_;
};

}  // namespace vesper
