#pragma once
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/arena.hpp"
#include "base/departure.hpp"
#include "base/task_record.hpp"
#include "base/time.hpp"
#include "model/allowance.hpp"
#include "model/caller.hpp"
#include "model/http.hpp"
#include "model/peer_address.hpp"

namespace vesper {

namespace asio = boost::asio;

/// One request being served. Made by the server, filled by the service, reused for the next request
/// of a connection's shard.
struct Exchange {
  RequestHead head;
  std::string_view body;  ///< whole, decoded from chunks if need be; empty before serve()
  Instant started;        ///< when the head was complete
  Duration waited{};      ///< from when its bytes were there to be read until then
  bool surplus = false;   ///< more than can be served in time came before it
  Deadline deadline;      ///< set by begin()
  std::uint64_t body_limit_bytes = 0;  ///< set by begin(); the server answers 413 past it
  PeerAddress peer;                    ///< of the other end of the connection, who may be a proxy
  std::uint64_t* connection_used =
      nullptr;          ///< of the connection's allowance; kept between requests
  bool secure = false;  ///< TLS
  Reply reply;
  Arena arena;                           ///< reset by the server before each request
  std::shared_ptr<const Caller> caller;  ///< set by begin() on routes that need one
  std::uint16_t route = 0;               ///< index into the route table, set by begin()
  Departure departure;                   ///< told when the client leaves while it is served
  std::uint16_t party = 0;               ///< of its verified trial among the shares; 0: not known
  Charge charge;                         ///< what it took of its caller's and trial's allowances
  TaskRecord* task = nullptr;            ///< of the connection, to say where it waits; may be none
};

/// What a listener serves: the intake's routes, or the admin's.
///   Thread: the connection's shard. Neither function throws.
class HttpService {
 public:
  virtual ~HttpService() = default;
  /// Decides on the head alone, before the body is read: routing, credentials, limits.
  ///   Returns true when `exchange.reply` already holds the answer (a refusal, or nothing to read).
  virtual bool begin(Exchange& exchange) = 0;
  /// Serves the request once its body is complete; the answer is left in `exchange.reply`.
  virtual asio::awaitable<void> serve(Exchange& exchange) = 0;
  /// Fills `reply` for a fault of syntax, framing or limits found by the server (400, 408, 413,
  /// 414, 417, 431, 501, 505, 503): an OperationOutcome in the sender's terms.
  /// 429: too many connections of one address.
  virtual void explain(std::uint16_t status, std::string_view diagnostics, Reply& reply) = 0;
  /// May one more connection of this address be served? Where it may, it also ends.
  virtual bool connected(const PeerAddress&) { return true; }
  virtual void disconnected(const PeerAddress&) {}
};

}  // namespace vesper
