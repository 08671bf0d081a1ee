#include "io/sqlite/read_threads.hpp"

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

bool ReadThreads::offer(Read& read) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || waiting_.size() >= waiting_max) return false;
    waiting_.push_back({std::move(read), clock_.now()});
    most_.raise(waiting_.size());
  }
  arrived_.notify_one();
  return true;
}

void ReadThreads::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  for (TaskThread& thread : threads_) thread.request_stop();
  threads_.clear();  // joins
  for (Waiter& waiter : waiting_) waiter.read(nullptr);
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
