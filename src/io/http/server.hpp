#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "io/http/http_limits.hpp"
#include "io/http/tls.hpp"
#include "ports/clock.hpp"
#include "ports/http_service.hpp"
#include "ports/telemetry.hpp"
#include "stages/admission/slots.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {

struct HttpLoad;
struct HttpShardFigures;

enum class ListenError : std::uint8_t { bad_address, in_use, not_allowed, failed };

/// `text` says what could not be listened on and why.
struct ListenFault {
  ListenError code;
  std::string text;
};

/// What all shards of one listener use. References outlive the servers.
struct HttpServerParts {
  HttpService& service;
  Clock& clock;
  Telemetry& telemetry;
  HttpLimits limits;
  std::shared_ptr<HttpLoad> load;     ///< made by make_http_load(), the same for every shard
  std::shared_ptr<TlsContext> tls;    ///< none: plain TCP
  TaskScope scope{"http"};            ///< of this shard of the listener
  admission::Slots* slots = nullptr;  ///< told what this shard can take, as `part`
  std::size_t part = 0;
};

[[nodiscard]] std::shared_ptr<HttpLoad> make_http_load();

/// One listener on one shard: accepts, and serves its HttpService.
///   Shape:  the caller owns the io_context and its thread; one server a shard and listener, all
///           bound to one port with SO_REUSEPORT.
///   Bounds: HttpLimits.
///   Thread: all but figures() on the shard's thread, or before it runs. Must outlive the run.
class HttpServer {
 public:
  HttpServer(asio::io_context& context, const HttpServerParts& parts);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  enum class Share : std::uint8_t { first, join };  ///< of the shards that listen on one port
  /// Binds `address:port` and begins to accept; port 0 takes a free one. Returns the port.
  ///   Errors: in_use also when another process listens there with SO_REUSEPORT (Share::first).
  [[nodiscard]] std::expected<std::uint16_t, ListenFault> listen(const std::string& address,
                                                                 std::uint16_t port, Share share);

  /// Stops accepting, closes idle connections, lets requests in flight end with
  /// `Connection: close`, and cuts off what is left at the deadline. Returns how many it cut off.
  asio::awaitable<std::size_t> drain(Deadline deadline);

  /// Puts other thresholds of reading in force.
  void set_reading(const admission::ReadRules& rules);

  [[nodiscard]] const HttpShardFigures& figures() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vesper
