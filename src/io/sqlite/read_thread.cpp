#include "io/sqlite/read_thread.hpp"

namespace vesper {

ReadThread::ReadThread(std::unique_ptr<JournalReader> reader)
    : reader_(std::move(reader)),
      thread_([this](const std::stop_token& stopping) { run(stopping); }) {}

ReadThread::~ReadThread() {
  stop();
}

bool ReadThread::offer(Read& read) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || waiting_.size() >= waiting_max) return false;
    waiting_.push_back(std::move(read));
  }
  arrived_.notify_one();
  return true;
}

void ReadThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  for (Read& read : waiting_) read(nullptr);
  waiting_.clear();
}

void ReadThread::run(const std::stop_token& stopping) {
  std::unique_lock lock(mutex_);
  while (arrived_.wait(lock, stopping, [this] { return !waiting_.empty(); })) {
    Read read = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    read(reader_.get());
    lock.lock();
  }
}

}  // namespace vesper
