#include "io/log/json_log.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "io/log/log_line.hpp"

namespace vesper {
namespace {

// A pipe that polls writable takes this much without blocking (PIPE_BUF), so that the writer can
// always be stopped.
constexpr std::size_t chunk_bytes = 4096;
constexpr int poll_ms = 50;

}  // namespace

JsonLog::JsonLog(Clock& clock, Telemetry* telemetry, const Settings& settings,
                 const TaskScope& scope)
    : clock_(clock),
      telemetry_(telemetry),
      settings_(settings),
      level_(settings.level),
      give_up_at_ns_(std::numeric_limits<std::int64_t>::max()),
      writer_(scope, "thread", "vesper-log",
              [this](const std::stop_token&, TaskRecord* task) { run(task); }) {}

JsonLog::~JsonLog() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
    give_up_at_ns_ = (clock_.now() + settings_.close_wait).time_since_epoch().count();
  }
  work_.notify_one();
  writer_.join();
}

void JsonLog::write(LogLevel level, std::string_view action, std::string_view message,
                    std::initializer_list<LogField> fields) {
  if (level < level_.load(std::memory_order_relaxed)) return;
  thread_local std::string line;
  line.clear();
  append_log_line(line, clock_.wall(), level, action, message, fields);
  {
    std::lock_guard lock{mutex_};
    if (pending_.size() + line.size() > settings_.queued_bytes_max) {
      ++unreported_;
    } else {
      pending_ += line;
      most_.raise(pending_.size());
      line.clear();
    }
  }
  if (line.empty())
    work_.notify_one();
  else
    lose(1);
}

void JsonLog::lose(std::uint64_t lines) {
  lost_.fetch_add(lines, std::memory_order_relaxed);
  if (telemetry_ != nullptr) telemetry_->count(Counter::log_lines_lost, lines);
}

QueueFigures JsonLog::figures() const {
  const std::lock_guard lock{mutex_};
  return {pending_.size(), settings_.queued_bytes_max, most_.value(),
          Duration{blocked_ns_.load(std::memory_order_relaxed)}};
}

bool JsonLog::flush(Duration longest) {
  std::unique_lock lock{mutex_};
  return idle_.wait_for(lock, longest, [&] { return pending_.empty() && !writing_; });
}

void JsonLog::run(TaskRecord* task) {
  std::string batch;
  std::unique_lock lock{mutex_};
  while (true) {
    if (task != nullptr) task->mark("log.lines", clock_.now());
    work_.wait(lock, [&] { return stopping_ || !pending_.empty(); });
    if (pending_.empty()) return;  // stopping, and nothing is left
    batch.clear();
    batch.swap(pending_);
    if (unreported_ != 0) {
      append_log_line(batch, clock_.wall(), LogLevel::warn, "log_lines_lost",
                      "log lines were dropped because their reader was too slow",
                      {{"vesper.lines", static_cast<std::int64_t>(unreported_)}});
      unreported_ = 0;
    }
    writing_ = true;
    lock.unlock();
    {
      const Waiting waiting{task, "log.write", clock_.now()};
      give_out(batch);
    }
    lock.lock();
    writing_ = false;
    idle_.notify_all();
  }
}

void JsonLog::give_out(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd ready{settings_.descriptor, POLLOUT, 0};
    const int polled = ::poll(&ready, 1, poll_ms);
    if (polled == 0)
      blocked_ns_.fetch_add(Duration{std::chrono::milliseconds{poll_ms}}.count(),
                            std::memory_order_relaxed);
    if (polled == 0 || (polled < 0 && errno == EINTR)) {
      if (clock_.now().time_since_epoch().count() >= give_up_at_ns_) break;
      continue;
    }
    const ssize_t wrote =
        ::write(settings_.descriptor, bytes.data(), std::min(bytes.size(), chunk_bytes));
    if (wrote > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EINTR && errno != EAGAIN) {
      break;
    }
  }
  if (!bytes.empty())
    lose(static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n')));
}

}  // namespace vesper
