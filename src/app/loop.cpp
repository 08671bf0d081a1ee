#include "app/loop.hpp"

namespace vesper {

Loop::Loop(const TaskScope& parent, std::string name)
    : name_(std::move(name)), scope_(parent.on_thread(name_)), guard_(context_.get_executor()) {}

void Loop::run() {
  thread_ = TaskThread{scope_, "thread", "vesper-" + name_,
                       [this](const std::stop_token&, TaskRecord* task) {
                         if (task != nullptr) task->mark("loop.run", scope_.now());
                         context_.run();
                       }};
}

void Loop::stop() {
  guard_.reset();
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace vesper
