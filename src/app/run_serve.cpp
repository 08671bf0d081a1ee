#include <malloc.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <iostream>
#include <mutex>
#include <optional>

#include "app/serve.hpp"
#include "app/server.hpp"
#include "tasks/task_thread.hpp"

namespace vesper {
namespace {

// glibc gives the end of each thread's heap back as soon as it is free, and takes it again a moment
// later: two mprotect calls a diary under load. Keep up to this much instead.
void keep_freed_memory() {
  constexpr int kept_bytes = 64 << 20;
  (void)mallopt(M_TRIM_THRESHOLD, kept_bytes);
}

constexpr Duration longest_stop = 9500ms, longest_end = 500ms;

/// Ends the process when what it guards takes longer than was promised.
///   Why: a disk that stalls may hold stop(), and a name look-up, which cannot be interrupted, the
///        end of its loop. All that was acknowledged is on disk: nothing is lost by leaving.
class LastResort {
 public:
  LastResort(Duration after, int exit_status)
      : thread_(TaskScope{"stop"}, "thread", "vesper-stop",
                [this, after, exit_status](const std::stop_token& ended, TaskRecord*) {
                  std::unique_lock lock{mutex_};
                  never_.wait_for(lock, ended, after, [] { return false; });
                  if (!ended.stop_requested()) _exit(exit_status);
                }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any never_;
  TaskThread thread_;
};

int end(std::optional<Server>& server, int exit_status) {
  std::cerr.flush();
  const LastResort guard{longest_end, exit_status};
  server.reset();
  return exit_status;
}

void reload(Server& server, const ReadConfig& read_again) {
  if (const auto config = read_again()) {
    server.apply_live(*config);
  } else {
    for (const std::string& fault : config.error()) std::cerr << "vesper: " << fault << "\n";
  }
  server.reload();
}

}  // namespace

// Signals are blocked before any thread starts and taken here, one at a time, by the main thread.
int run_serve(const Config& config, bool demo, const ReadConfig& read_again) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  keep_freed_memory();

  std::optional<Server> server;
  server.emplace(config, demo);
  if (const auto started = server->start(); !started) {
    std::cerr << "vesper: " << started.error().text << "\n";
    server->stop();
    return end(server, started.error().exit_status);
  }
  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) break;
    reload(*server, read_again);
  }
  const LastResort guard{longest_stop, 0};
  server->stop();
  return end(server, 0);
}

}  // namespace vesper
