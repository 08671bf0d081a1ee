#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "io/sqlite/journal_reader.hpp"

namespace vesper {

/// The thread that reads, apart from the one that commits.
///   Bounds: a fixed number of reads waiting.
///   Thread: offer() any.
class ReadThread {
 public:
  /// nullptr: the reader is going away and the read has not happened.
  using Read = std::move_only_function<void(JournalReader*)>;

  explicit ReadThread(std::unique_ptr<JournalReader> reader);
  ~ReadThread();
  /// False: too many are waiting, or it has stopped; `read` was not taken.
  [[nodiscard]] bool offer(Read& read);
  void stop();

 private:
  void run(const std::stop_token& stopping);

  static constexpr std::size_t waiting_max = 4096;
  std::unique_ptr<JournalReader> reader_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Read> waiting_;
  bool stopped_ = false;
  std::jthread thread_;
};

}  // namespace vesper
