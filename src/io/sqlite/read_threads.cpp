#include "io/sqlite/read_threads.hpp"

#include <algorithm>
#include <utility>

namespace vesper {

ReadThreads::ReadThreads(std::vector<std::unique_ptr<JournalReader>> readers, Clock& clock,
                         const TaskScope& scope)
    : readers_(std::move(readers)), clock_(clock) {
  for (const auto& reader : readers_) {
    auto read = [this, &from = *reader](const std::stop_token& stopping, TaskRecord* task) {
      run(stopping, from, task);
    };
    threads_.push_back(TaskThread{scope.on_thread("read"), "thread", "vesper-read", read});
  }
}

ReadThreads::~ReadThreads() {
  stop();
}

std::uint64_t ReadThreads::offer(Read& read, Deadline deadline) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || waiting_.size() >= waiting_max) return 0;
    number = ++number_;
    waiting_.push_back({std::move(read), clock_.now(), deadline, number});
    most_.raise(waiting_.size());
  }
  arrived_.notify_one();
  return number;
}

void ReadThreads::give_up(std::uint64_t number) {
  Read read;
  {
    const std::lock_guard lock(mutex_);
    const auto at = std::ranges::find(waiting_, number, &Waiter::number);
    if (at == waiting_.end()) return;
    read = std::move(at->read);
    waiting_.erase(at);
  }
  read(std::unexpected(StoreFault::departed));
}

void ReadThreads::sweep(Instant now) {
  std::vector<Read> late;
  {
    const std::lock_guard lock(mutex_);
    for (Waiter& waiter : waiting_)
      if (waiter.deadline.passed(now)) late.push_back(std::exchange(waiter.read, nullptr));
    if (!late.empty()) std::erase_if(waiting_, [](const Waiter& waiter) { return !waiter.read; });
  }
  for (Read& read : late) read(std::unexpected(StoreFault::timed_out));
}

void ReadThreads::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  for (TaskThread& thread : threads_) thread.request_stop();
  threads_.clear();  // joins
  for (Waiter& waiter : waiting_) waiter.read(std::unexpected(StoreFault::stopping));
  waiting_.clear();
}

QueueFigures ReadThreads::figures() const {
  const std::lock_guard lock(mutex_);
  return {waiting_.size(), waiting_max, most_.value(), waited_};
}

void ReadThreads::run(const std::stop_token& stopping, JournalReader& reader, TaskRecord* task) {
  constexpr Duration read_stall = std::chrono::seconds{5};
  if (task != nullptr) task->mark("queue.wait", clock_.now());
  std::unique_lock lock(mutex_);
  while (arrived_.wait(lock, stopping, [this] { return !waiting_.empty(); })) {
    Waiter waiter = std::move(waiting_.front());
    waiting_.pop_front();
    const Instant now = clock_.now();
    waited_ += now - waiter.since;
    lock.unlock();
    {
      const Waiting waiting{task, "journal.read", now, now + read_stall};
      waiter.read(&reader);
      waiter.read = nullptr;  // what it holds is let go of outside the lock
    }
    lock.lock();
  }
}

}  // namespace vesper
