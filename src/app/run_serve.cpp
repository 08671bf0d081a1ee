#include <csignal>
#include <iostream>

#include "app/serve.hpp"
#include "app/server.hpp"

namespace vesper {

// Signals are blocked before any thread starts and taken here, one at a time, by the main thread.
int run_serve(const Config& config, bool demo) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

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
