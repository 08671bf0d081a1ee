#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/queue_figures.hpp"
#include "ports/clock.hpp"
#include "ports/log.hpp"
#include "ports/telemetry.hpp"
#include "tasks/task_thread.hpp"

namespace vesper {

/// JSON lines to a file descriptor, written by a thread of its own.
///   Bounds: `Settings::queued_bytes_max` waiting; a line that does not fit is dropped and counted,
///           and the next lines that fit are followed by one that says how many were lost.
///   Errors: none; a descriptor that refuses bytes loses them, counted.
///   Thread: any. write() takes a short lock and never waits for the descriptor.
class JsonLog final : public Log {
 public:
  struct Settings {
    int descriptor = 1;
    LogLevel level = LogLevel::info;
    std::size_t queued_bytes_max = 1 << 20;
    Duration close_wait = 1s;  ///< the destructor gives a stuck reader this long
  };
  /// `telemetry` may be null; it and `clock` outlive the log.
  JsonLog(Clock& clock, Telemetry* telemetry, const Settings& settings,
          const TaskScope& scope = TaskScope{"log"});
  JsonLog(const JsonLog&) = delete;
  JsonLog& operator=(const JsonLog&) = delete;
  ~JsonLog() override;

  void write(LogLevel level, std::string_view action, std::string_view message,
             std::initializer_list<LogField> fields = {}) override;
  /// Waits until every line accepted so far is with the kernel.
  ///   Errors: false when `longest` passed first.
  bool flush(Duration longest = 5s);
  [[nodiscard]] QueueFigures figures() const;
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  void run(TaskRecord* task);
  void give_out(std::string_view bytes);
  void lose(std::uint64_t lines);

  Clock& clock_;
  Telemetry* telemetry_;
  const Settings settings_;
  std::atomic<LogLevel> level_;
  std::atomic<std::uint64_t> lost_{0};
  HighWater most_;
  std::atomic<std::int64_t> blocked_ns_{0};  ///< the writer's, on the descriptor
  std::atomic<std::int64_t> give_up_at_ns_;
  mutable std::mutex mutex_;
  std::condition_variable work_, idle_;
  std::string pending_;
  std::uint64_t unreported_ = 0;
  bool writing_ = false, stopping_ = false;
  TaskThread writer_;
};

}  // namespace vesper
