#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <string>

#include "drill/standin/platform_server.hpp"
#include "tasks/task_thread.hpp"

namespace vesper::drill {

namespace asio = boost::asio;

/// The fake data platform of a drill, on a thread of its own: a fake, because faults are injected.
class StandinThread {
 public:
  explicit StandinThread(std::uint64_t seed)
      : platform_({.ledger_file = {}, .quiet_count = false, .seed = seed}, {}),
        server_(context_, platform_),
        thread_(TaskScope{"drill"}, "platform", "drill-platform",
                [this](const std::stop_token&, TaskRecord*) { context_.run(); }) {}
  ~StandinThread() {
    context_.stop();
    thread_.join();
  }
  StandinThread(const StandinThread&) = delete;

  /// Runs `question(Platform&, PlatformServer&)` on the platform's thread and gives its answer.
  template <class Question>
  auto ask(Question question) {
    return asio::post(context_,
                      asio::use_future([this, question] { return question(platform_, server_); }))
        .get();
  }
  void behave(const standin::Behaviour& behaviour) {
    ask([&](standin::Platform& platform, standin::PlatformServer&) {
      platform.behave(behaviour);
      return true;
    });
  }

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
  standin::Platform platform_;
  standin::PlatformServer server_;
  TaskThread thread_;
};

}  // namespace vesper::drill
