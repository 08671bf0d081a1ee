#include <malloc.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>

#include "app/serve.hpp"
#include "app/server.hpp"

namespace vesper {
namespace {

// glibc gives the end of each thread's heap back as soon as it is free, and takes it again a moment
// later: two mprotect calls a diary under load. Keep up to this much instead.
void keep_freed_memory() {
  constexpr int kept_bytes = 64 << 20;
  (void)mallopt(M_TRIM_THRESHOLD, kept_bytes);
}

constexpr Duration longest_end = 500ms;

// All that was acknowledged is on disk by now. A name look-up cannot be interrupted, and the end of
// its loop waits for it: the process does not.
int end(std::optional<Server>& server, int exit_status) {
  std::cerr.flush();
  const std::jthread guard{[exit_status](const std::stop_token& ended) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    never.wait_for(lock, ended, longest_end, [] { return false; });
    if (!ended.stop_requested()) _exit(exit_status);
  }};
  server.reset();
  return exit_status;
}

}  // namespace

// Signals are blocked before any thread starts and taken here, one at a time, by the main thread.
int run_serve(const Config& config, bool demo) {
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
    server->reload();
  }
  server->stop();
  return end(server, 0);
}

}  // namespace vesper
