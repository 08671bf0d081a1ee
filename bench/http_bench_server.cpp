// The HTTP layer alone: answers every request with a fixed 201, for comparison with a bare epoll
// echo of the same bytes. Usage: http_bench_server PORT
#include <cstdio>
#include <cstdlib>

#include "io/clock/system_clock.hpp"
#include "io/http/server.hpp"

namespace {

using namespace vesper;

class FixedService : public HttpService {
 public:
  bool begin(Exchange&) override { return false; }
  asio::awaitable<void> serve(Exchange& exchange) override {
    exchange.reply.status = 201;
    exchange.reply.content_type = "application/json";
    exchange.reply.add_header("Location", "/v1/submissions/0190d3f2-7c1e-7a4b-9e21-3f5a6b7c8d9e");
    exchange.reply.body.assign(
        R"({"submissionId":"0190d3f2-7c1e-7a4b-9e21-3f5a6b7c8d9e","status":"accepted",)"
        R"("seq":123456789012,"durable":true }  )");
    co_return;
  }
  void explain(std::uint16_t status, std::string_view, Reply& reply) override {
    reply.status = status;
  }
};

class SilentTelemetry : public Telemetry {
 public:
  void count(Counter, std::uint64_t) override {}
  void set(Gauge, std::int64_t) override {}
  void add(Gauge, std::int64_t) override {}
  void observe(Histogram, Duration) override {}
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  asio::io_context context{1};
  SystemClock clock;
  FixedService service;
  SilentTelemetry telemetry;
  HttpServer server{context, {service, clock, telemetry, {}, make_http_load(), {}}};
  const auto port = server.listen("127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[1])),
                                  HttpServer::Share::first);
  if (!port) {
    std::fprintf(stderr, "%s\n", port.error().text.c_str());
    return 1;
  }
  std::printf("listening on %u\n", *port);
  context.run();
}
