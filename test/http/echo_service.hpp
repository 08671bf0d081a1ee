#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "ports/http_service.hpp"

namespace vesper::test {

/// Answers every request with what it understood of it, so that a test can compare. Routes:
/// /refuse: refused on its head; /large?N: N bytes; /empty: 204; /close: asks to close;
/// /limit?N: body limit of N bytes. HEAD is served as GET, as the port says.
class EchoService : public HttpService {
 public:
  bool begin(Exchange& exchange) override {
    ++begun;
    const auto& head = exchange.head;
    if (head.path == "/limit") exchange.body_limit_bytes = std::stoull(std::string{head.query});
    if (head.path != "/refuse") return false;
    fill(exchange, 401);
    return true;
  }
  asio::awaitable<void> serve(Exchange& exchange) override {
    ++served;
    fill(exchange, 200);
    co_return;
  }
  void explain(std::uint16_t status, std::string_view diagnostics, Reply& reply) override {
    ++explained;
    reply.status = status;
    reply.content_type = "application/fhir+json";
    reply.body = nlohmann::json{{"fault", diagnostics}}.dump();
  }

  int begun = 0, served = 0, explained = 0;

 private:
  static void fill(Exchange& exchange, std::uint16_t status) {
    const auto& head = exchange.head;
    Reply& reply = exchange.reply;
    reply.status = head.path == "/empty" ? 204 : status;
    reply.close = head.path == "/close";
    if (reply.status == 204) return;
    reply.content_type = "application/json";
    if (head.path == "/large") {
      reply.body.assign(std::stoull(std::string{head.query}), 'x');
      return;
    }
    const auto replace = nlohmann::json::error_handler_t::replace;
    reply.body = nlohmann::json{{"method", head.method_name},    {"path", head.path},
                                {"query", head.query},           {"body", exchange.body},
                                {"peer", exchange.peer.bytes},   {"secure", exchange.secure},
                                {"headers", head.headers.size()}}
                     .dump(-1, ' ', false, replace);
  }
};

}  // namespace vesper::test
