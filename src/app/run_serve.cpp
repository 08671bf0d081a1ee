#include <malloc.h>

#include <csignal>
#include <iostream>

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

}  // namespace

// Signals are blocked before any thread starts and taken here, one at a time, by the main thread.
int run_serve(const Config& config, bool demo) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  keep_freed_memory();

  Server server{config, demo};
  if (const auto started = server.start(); !started) {
    std::cerr << "vesper: " << started.error().text << "\n";
    return started.error().exit_status;
  }
  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) break;
    server.reload();
  }
  server.stop();
  return 0;
}

}  // namespace vesper
