#pragma once
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <stdexcept>

#include "http/echo_service.hpp"
#include "http/manual_clock.hpp"
#include "http/raw_client.hpp"
#include "io/http/server.hpp"
#include "io/http/shard.hpp"

namespace vesper::test {

/// Keeps counts for tests to read.
class CountingTelemetry : public Telemetry {
 public:
  void count(Counter counter, std::uint64_t n) override {
    counters[static_cast<std::size_t>(counter)] += n;
  }
  void set(Gauge gauge, std::int64_t value) override {
    gauges[static_cast<std::size_t>(gauge)] = value;
  }
  void add(Gauge gauge, std::int64_t change) override {
    gauges[static_cast<std::size_t>(gauge)] += change;
  }
  void observe(Histogram, Duration) override { ++observed; }
  [[nodiscard]] std::uint64_t of(Counter counter) const {
    return counters[static_cast<std::size_t>(counter)];
  }
  [[nodiscard]] std::int64_t of(Gauge gauge) const {
    return gauges[static_cast<std::size_t>(gauge)];
  }

  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Counter::count_)> counters{};
  std::array<std::atomic<std::int64_t>, static_cast<std::size_t>(Gauge::count_)> gauges{};
  std::atomic<int> observed{0};
};

/// A real listening server that runs in the test's own thread, on time that the test moves.
template <class Service = EchoService>
class TestServer {
 public:
  explicit TestServer(const HttpLimits& limits = {}, std::shared_ptr<TlsContext> tls = {})
      : load(make_http_load()),
        server(context, {service, clock, telemetry, limits, load, std::move(tls)}) {
    const auto bound = server.listen("127.0.0.1", 0, HttpServer::Share::first);
    if (!bound) throw std::runtime_error{bound.error().text};
    port = *bound;
    pump();
  }

  /// Runs all that can run now.
  void pump() {
    context.restart();
    while (context.poll() > 0) {
    }
  }
  void advance(Duration by) {
    clock.advance(by);
    pump();
  }
  [[nodiscard]] std::function<void()> pumping() {
    return [this] { pump(); };
  }
  /// Moves time on in small steps until the server ends the connection; returns how long it took.
  Duration time_to_end(RawClient& client, Duration most) {
    Duration passed{};
    while (client.poll() && passed < most) {
      advance(step);
      passed += step;
    }
    return passed;
  }
  static constexpr Duration step = std::chrono::milliseconds{50};

  ManualClock clock;
  CountingTelemetry telemetry;
  Service service;
  std::shared_ptr<HttpLoad> load;
  asio::io_context context{1};
  HttpServer server;
  std::uint16_t port = 0;
};

}  // namespace vesper::test
