#pragma once
#include <array>
#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>

#include "io/http/buffers.hpp"
#include "io/http/poller.hpp"
#include "io/http/tls.hpp"
#include "ports/clock.hpp"
#include "ports/http_service.hpp"
#include "ports/telemetry.hpp"
#include "stages/admission/read_line.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

/// Figures of one shard of one listener.
///   Thread: any may read; the shard's writes.
struct HttpShardFigures {
  std::atomic<std::size_t> connections{0};  ///< open
  std::atomic<std::size_t> buffers{0};      ///< read buffers held by connections, at the last sweep
  std::atomic<std::uint64_t> requests{0};   ///< answered
  std::atomic<std::int64_t> loop_lag_ns{0};  ///< by how much the last sweep came late
  std::atomic<std::int64_t> last_sweep{0};   ///< Instant, ns: an old one means a stuck shard
};

/// idle -first byte-> head -> body -> serving -> writing -> idle | lingering -> gone.
/// handshake comes before the first idle of a TLS connection.
enum class Phase : std::uint8_t { handshake, idle, head, body, serving, writing, lingering };

/// Where a connection waits, as the registry of tasks has it.
[[nodiscard]] constexpr const char* site_of(Phase phase) {
  switch (phase) {
    case Phase::handshake:
      return "tls.handshake";
    case Phase::idle:
      return "socket.read.idle";
    case Phase::head:
      return "socket.read.head";
    case Phase::body:
      return "socket.read.body";
    case Phase::serving:
      return "serving";
    case Phase::writing:
      return "socket.write";
    case Phase::lingering:
      return "socket.linger";
  }
  return "";
}

/// What the line, the sweep and the drain see of a connection.
class ConnectionBase : public Pollable, public admission::ReadPlace {
 public:
  ConnectionBase() = default;
  ConnectionBase(const ConnectionBase&) = delete;
  ConnectionBase& operator=(const ConnectionBase&) = delete;

 protected:
  friend struct HttpShard;
  /// Its turn has come, or it has to go: resumes it if it waits for one of them.
  virtual void take_turn() = 0;
  /// Wakes what the connection waits for on its socket; nothing when it waits for the service.
  ///   It may be gone afterwards.
  virtual void wake() = 0;
  virtual void shut() = 0;
  /// Its client has left while it is served.
  virtual void depart() = 0;
  /// Ends its coroutine where it stands.
  virtual void abandon() = 0;

  Phase phase_ = Phase::idle;
  bool expired_ = false;  ///< `due_` passed
  bool forced_ = false;   ///< drain's deadline passed
  bool surplus_ = false;  ///< read only to be refused
  bool unread_ = false;   ///< to be dropped without being read
  bool gone_ = false;     ///< the peer has ended its side, or all
  Duration waited_{};     ///< for its turn
  Instant due_{}, serving_since_{};
  ConnectionBase* previous_ = nullptr;
  ConnectionBase* next_ = nullptr;
};

/// What the connections of one listener on one shard share. Lives as long as the last of them.
///   Thread: the shard's.
struct HttpShard : std::enable_shared_from_this<HttpShard> {
  HttpShard(asio::io_context& context_in, HttpService& service_in, Clock& clock_in,
            Telemetry& telemetry_in, const HttpLimits& limits_in, std::shared_ptr<HttpLoad> load_in,
            std::shared_ptr<TlsContext> tls_in, TaskScope scope_in);
  ~HttpShard();

  /// A token that completes on this shard's thread without passing through a type-erased executor.
  [[nodiscard]] auto token(boost::system::error_code& error) const {
    return asio::bind_executor(context.get_executor(),
                               asio::redirect_error(asio::use_awaitable, error));
  }

  void add(ConnectionBase& connection);
  void remove(ConnectionBase& connection);
  /// `connection` can be read, and waits for its turn.
  void enter_line(ConnectionBase& connection, Instant since);
  /// Reads those whose turn it is, for a while. True: there is more to do at once.
  bool turn();
  /// Expires what is due, gives back memory, renews the coarse time and date.
  void sweep(Instant now, WallTime wall);
  void start_drain();
  void force_all();
  /// Lets go of what waits, when nobody will resume it any more.
  void abandon_all();

  asio::io_context& context;
  HttpService& service;
  Clock& clock;
  Telemetry& telemetry;
  const HttpLimits limits;
  const std::shared_ptr<HttpLoad> load;
  const std::shared_ptr<TlsContext> tls;  ///< none: plain TCP
  const TaskScope scope;                  ///< of the connections
  BlockPool blocks;
  WorkPool works;
  HttpShardFigures figures;
  std::string date;
  Instant now;  ///< of the last sweep: good enough for time-outs
  ConnectionBase* first = nullptr;
  std::size_t count = 0, refusing = 0;
  Poller poller;
  admission::ReadLine line;
  admission::ReadLine::Outcome outcome = {};  ///< of the connection that is being read
  bool draining = false, stopped = false;
  bool asleep = false;                  ///< nobody calls turn() before something becomes readable
  bool accepts_late = false;            ///< connections wait to be accepted
  std::array<char, 64 * 1024> discard;  ///< where unwanted bytes go; never read
};

}  // namespace vesper
