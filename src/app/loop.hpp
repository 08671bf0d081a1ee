#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <string>

#include "tasks/task_thread.hpp"

namespace vesper {

namespace asio = boost::asio;

/// One event loop and the one thread that runs it.
///   Shape:  work may be posted before run(); stop() lets what is queued run no further.
///   Bounds: the thread's name is cut at 15 characters, as the kernel has it.
class Loop {
 public:
  /// Its tasks stand below `parent`, under `name`; the thread is called `vesper-NAME`.
  Loop(const TaskScope& parent, std::string name);
  ~Loop() { stop(); }
  Loop(const Loop&) = delete;

  void run();
  /// Ends the thread and joins it; idempotent.
  void stop();
  [[nodiscard]] bool running() const { return thread_.joinable(); }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const TaskScope& scope() const { return scope_; }
  [[nodiscard]] asio::io_context& context() { return context_; }
  [[nodiscard]] asio::io_context::executor_type executor() { return context_.get_executor(); }

 private:
  const std::string name_;
  const TaskScope scope_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  TaskThread thread_;
};

}  // namespace vesper
