#include "io/http/server.hpp"

#include <sys/socket.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <utility>

#include "io/http/connection.hpp"

namespace vesper {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using boost::system::error_code;

constexpr int backlog = 4096;
constexpr std::size_t refusing_max = 64;  ///< of connections that are being told 503
constexpr Duration accept_pause = std::chrono::milliseconds{100};
constexpr Duration stall_after = std::chrono::seconds{1};  ///< a loop that has not turned so long
constexpr Duration drain_step = std::chrono::milliseconds{20};

ListenFault fault_of(const error_code& error, const std::string& address, std::uint16_t port) {
  auto code = ListenError::failed;
  if (error == asio::error::address_in_use) code = ListenError::in_use;
  if (error == asio::error::access_denied) code = ListenError::not_allowed;
  if (error == asio::error::invalid_argument) code = ListenError::bad_address;
  return {code, address + ":" + std::to_string(port) + ": " + error.message()};
}

}  // namespace

struct HttpServer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, const HttpServerParts& parts)
      : shard(std::make_shared<HttpShard>(context, parts.service, parts.clock, parts.telemetry,
                                          parts.limits, parts.load, parts.tls,
                                          parts.scope.part("connections"))),
        tasks(parts.scope),
        acceptor(context.get_executor()) {}

  error_code open(const asio::ip::tcp::endpoint& endpoint, Share share);
  void admit(TcpSocket socket);
  asio::awaitable<void> accept(TaskRecord* task);
  asio::awaitable<void> sweep(TaskRecord* task);

  std::shared_ptr<HttpShard> shard;
  const TaskScope tasks;  ///< accept and sweep
  Acceptor acceptor;
};

error_code HttpServer::State::open(const asio::ip::tcp::endpoint& endpoint, Share share) {
  error_code error;
  if (share == Share::first && endpoint.port() != 0) {
    // SO_REUSEPORT would silently share the port with another server of the same user.
    Acceptor probe{acceptor.get_executor()};
    if (probe.open(endpoint.protocol(), error); error) return error;
    if (probe.set_option(Acceptor::reuse_address(true), error); error) return error;
    if (probe.bind(endpoint, error); error) return error;
  }
  if (acceptor.open(endpoint.protocol(), error); error) return error;
  if (acceptor.set_option(Acceptor::reuse_address(true), error); error) return error;
  if (acceptor.set_option(ReusePort(true), error); error) return error;
  if (acceptor.bind(endpoint, error); error) return error;
  acceptor.listen(backlog, error);
  return error;
}

void HttpServer::State::admit(TcpSocket socket) {
  auto& load = shard->load->connections;
  if (load.fetch_add(1, std::memory_order_relaxed) < shard->limits.connections_max)
    return serve_connection(shard, std::move(socket));
  load.fetch_sub(1, std::memory_order_relaxed);
  shard->telemetry.count(Counter::connections_refused);
  if (!shard->tls && shard->refusing < refusing_max) refuse_connection(shard, std::move(socket));
}

asio::awaitable<void> HttpServer::State::accept(TaskRecord* task) {
  const auto self = shared_from_this();
  const Waiting waiting{task, "socket.accept", shard->clock.now()};
  while (acceptor.is_open()) {
    TcpSocket socket{shard->context.get_executor()};
    error_code error;
    co_await acceptor.async_accept(socket, shard->token(error));
    if (!error) {
      admit(std::move(socket));
    } else if (acceptor.is_open()) {
      // Out of descriptors: the next try would fail at once too.
      if (!co_await shard->clock.sleep_until(shard->clock.now() + accept_pause)) co_return;
    }
  }
}

asio::awaitable<void> HttpServer::State::sweep(TaskRecord* task) {
  const auto self = shared_from_this();
  while (!shard->stopped) {
    const Instant due = shard->clock.now() + shard->limits.sweep_interval;
    if (task != nullptr) task->mark("clock.sleep", shard->now, due + stall_after);
    if (!co_await shard->clock.sleep_until(due)) co_return;
    const Instant now = shard->clock.now();
    const Duration lag = std::max(now - due, Duration::zero());
    shard->telemetry.observe(Histogram::loop_lag_seconds, lag);
    shard->figures.loop_lag_ns.store(lag.count(), std::memory_order_relaxed);
    shard->figures.last_sweep.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    shard->sweep(now, shard->clock.wall());
  }
}

std::shared_ptr<HttpLoad> make_http_load() {
  return std::make_shared<HttpLoad>();
}

HttpServer::HttpServer(asio::io_context& context, const HttpServerParts& parts)
    : state_(std::make_shared<State>(context, parts)) {}

HttpServer::~HttpServer() {
  error_code ignored;
  state_->acceptor.close(ignored);
  state_->shard->stopped = true;
  state_->tasks.cancel();
}

std::expected<std::uint16_t, ListenFault> HttpServer::listen(const std::string& address,
                                                             std::uint16_t port, Share share) {
  error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  if (!error) error = state_->open({parsed, port}, share);
  if (error) {
    error_code ignored;
    state_->acceptor.close(ignored);
    return std::unexpected(fault_of(error, address, port));
  }
  const auto executor = state_->shard->context.get_executor();
  const auto& tasks = state_->tasks;
  tasks.spawn(executor, "accept", for_ever,
              [state = state_](TaskRecord* task) { return state->accept(task); });
  tasks.spawn(executor, "sweep", for_ever,
              [state = state_](TaskRecord* task) { return state->sweep(task); });
  return state_->acceptor.local_endpoint(error).port();
}

asio::awaitable<std::size_t> HttpServer::drain(Deadline deadline) {
  const auto state = state_;
  auto& shard = *state->shard;
  error_code ignored;
  state->acceptor.close(ignored);
  shard.start_drain();
  while (shard.count > 0 && !deadline.passed(shard.clock.now())) {
    const Instant step = shard.clock.now() + drain_step;
    co_await shard.clock.sleep_until(std::min(step, deadline.at));
  }
  const std::size_t cut_off = shard.count;
  shard.force_all();
  shard.stopped = true;
  state->tasks.cancel();
  co_return cut_off;
}

const HttpShardFigures& HttpServer::figures() const {
  return state_->shard->figures;
}

}  // namespace vesper
