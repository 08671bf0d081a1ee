#include "io/sqlite/read_threads.hpp"

namespace vesper {

ReadThreads::ReadThreads(std::vector<std::unique_ptr<JournalReader>> readers,
                         const TaskScope& scope)
    : readers_(std::move(readers)) {
  for (const auto& reader : readers_)
    threads_.push_back(
        TaskThread{scope.on_thread("read"), "thread", "vesper-read",
                   [this, &reader = *reader](const std::stop_token& stopping, TaskRecord*) {
                     run(stopping, reader);
                   }});
}

ReadThreads::~ReadThreads() {
  stop();
}

bool ReadThreads::offer(Read& read) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || waiting_.size() >= waiting_max) return false;
    waiting_.push_back(std::move(read));
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
  for (Read& read : waiting_) read(nullptr);
  waiting_.clear();
}

void ReadThreads::run(const std::stop_token& stopping, JournalReader& reader) {
  std::unique_lock lock(mutex_);
  while (arrived_.wait(lock, stopping, [this] { return !waiting_.empty(); })) {
    Read read = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    read(&reader);
    read = nullptr;  // what it holds is let go of outside the lock
    lock.lock();
  }
}

}  // namespace vesper
