#include "tasks/task_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace vesper {

TaskThread::TaskThread(TaskScope scope, StaticText name, std::string kernel_name, Work work,
                       std::source_location created) {
  kernel_name.resize(std::min<std::size_t>(kernel_name.size(), 15));
  auto task = scope.begin(name, for_ever, created);
  thread_ = std::jthread{[task = std::move(task), kernel_name = std::move(kernel_name),
                          work = std::move(work)](const std::stop_token& stopping) mutable {
    pthread_setname_np(pthread_self(), kernel_name.c_str());
    work(stopping, task.record());
    task.end();
  }};
}

}  // namespace vesper
