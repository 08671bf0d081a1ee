#include "flows/diagnose/stall_watch.hpp"

#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

#include "flows/diagnose/task_dump.hpp"

namespace vesper {
namespace {

std::int64_t ms_of(Duration length) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
}

}  // namespace

asio::awaitable<void> StallWatch::run(TaskRecord* task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const Instant next = clock_.now() + look_every;
    if (task != nullptr) task->mark("clock.sleep", clock_.now(), next);
    if (!co_await clock_.sleep_until(next)) co_return;
    look();
  }
}

std::size_t StallWatch::look() {
  const Instant now = clock_.now();
  std::map<Key, Instant> still;
  std::size_t lines = 0;
  stalled_ = 0;
  for (const auto& task : tasks_.tasks()) {
    if (task.deadline == Instant::max() || now - task.deadline < slack) continue;
    ++stalled_;
    const Key key{task.owner, task.number};
    const auto before = told_.find(key);
    if (before == told_.end()) telemetry_.count(Counter::tasks_stalled);
    const bool due = before == told_.end() || now - before->second >= tell_again;
    const bool tells = due && lines < lines_max;
    if (tells) tell(task, now);
    lines += tells ? 1 : 0;
    still[key] = tells || before == told_.end() ? now : before->second;
  }
  told_ = std::move(still);
  telemetry_.set(Gauge::tasks_stalled_now, static_cast<std::int64_t>(stalled_));
  telemetry_.set(Gauge::tasks_live, static_cast<std::int64_t>(tasks_.live()));
  return stalled_;
}

void StallWatch::tell(const TaskRecord::View& task, Instant now) {
  const TaskRecord* last = task.owner->last->load(std::memory_order_relaxed);
  const auto doing = last == nullptr ? TaskRecord::View{} : last->read();
  const std::string created =
      fmt::format("{}:{}", source_path(task.created.file_name()), task.created.line());
  const auto text = [](const char* of) { return std::string_view{of == nullptr ? "" : of}; };
  log_.write(LogLevel::warn, "task.stalled", "a task is past its deadline",
             {{"vesper.task", text(task.name)},
              {"vesper.owner", std::string_view{task.owner->path}},
              {"vesper.waits", text(task.site)},
              {"vesper.waited_ms", ms_of(now - task.since)},
              {"vesper.late_ms", ms_of(now - task.deadline)},
              {"vesper.created", std::string_view{created}},
              {"vesper.thread", std::string_view{task.owner->thread}},
              {"vesper.thread_task", text(doing.name)},
              {"vesper.thread_waits", text(doing.site)}});
}

}  // namespace vesper
