#include "io/http/server.hpp"

#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/http/connection.hpp"

namespace vesper {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using boost::system::error_code;

// A burst may be so long; under overload a backlog would only make those in it too late.
constexpr std::size_t backlog = 1024, backlog_least = 16;
constexpr HttpFault too_many{503, "the server has as many connections as it may; try again later"};
constexpr HttpFault too_many_of_one{
    429, "this network address has as many connections as it may; close some, or try again later"};
constexpr int accepts_a_turn = 64;
constexpr Duration drain_step = std::chrono::milliseconds{20};

ListenFault fault_of(const error_code& error, const std::string& address, std::uint16_t port) {
  auto code = ListenError::failed;
  if (error == asio::error::address_in_use) code = ListenError::in_use;
  if (error == asio::error::access_denied) code = ListenError::not_allowed;
  if (error == asio::error::invalid_argument) code = ListenError::bad_address;
  return {code, address + ":" + std::to_string(port) + ": " + error.message()};
}

PeerAddress peer_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    std::uint8_t octets[4];
    std::memcpy(octets, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, sizeof octets);
    return PeerAddress::v4(octets);
  }
  PeerAddress peer;
  if (address.ss_family == AF_INET6)
    std::memcpy(peer.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr,
                peer.bytes.size());
  return peer;
}

}  // namespace

struct HttpServer::State : Pollable, std::enable_shared_from_this<State> {
  State(asio::io_context& context, const HttpServerParts& parts)
      : shard(std::make_shared<HttpShard>(context, parts.service, parts.clock, parts.telemetry,
                                          parts.limits, parts.load, parts.tls,
                                          parts.scope.part("connections"))),
        tasks(parts.scope),
        slots(parts.slots),
        part(parts.part) {}
  ~State() override { close(); }

  std::expected<std::uint16_t, error_code> open(const asio::ip::tcp::endpoint& endpoint,
                                                Share share);
  void on_events(std::uint32_t, Instant) override { shard->accepts_late = true; }
  void admit(const Accepted& accepted);
  void accept();
  [[nodiscard]] int accepts_now();
  void report_capacity();
  void close();
  asio::awaitable<void> take_turns(TaskRecord* task);
  asio::awaitable<void> sweep(TaskRecord* task);

  std::shared_ptr<HttpShard> shard;
  const TaskScope tasks;  ///< turns and sweep
  admission::Slots* const slots;
  const std::size_t part;
  int listener = -1;
  bool out_of_descriptors = false;
  bool squeezed = false;  ///< the backlog is short
};

std::expected<std::uint16_t, error_code> HttpServer::State::open(
    const asio::ip::tcp::endpoint& endpoint, Share share) {
  error_code error;
  const auto failed = [&] { return std::unexpected(error); };
  Acceptor acceptor{shard->context.get_executor()};
  if (share == Share::first && endpoint.port() != 0) {
    // SO_REUSEPORT would silently share the port with another server of the same user.
    Acceptor probe{acceptor.get_executor()};
    if (probe.open(endpoint.protocol(), error); error) return failed();
    if (probe.set_option(Acceptor::reuse_address(true), error); error) return failed();
    if (probe.bind(endpoint, error); error) return failed();
  }
  if (acceptor.open(endpoint.protocol(), error); error) return failed();
  if (acceptor.set_option(Acceptor::reuse_address(true), error); error) return failed();
  if (acceptor.set_option(ReusePort(true), error); error) return failed();
  // What is accepted inherits it.
  if (acceptor.set_option(asio::ip::tcp::no_delay(true), error); error) return failed();
  if (acceptor.bind(endpoint, error); error) return failed();
  if (acceptor.listen(static_cast<int>(backlog), error); error) return failed();
  if (acceptor.native_non_blocking(true, error); error) return failed();
  const auto port = acceptor.local_endpoint(error).port();
  listener = acceptor.release(error);
  if (!shard->poller.add(listener, *this)) return std::unexpected(asio::error::no_memory);
  return port;
}

void HttpServer::State::close() {
  if (listener >= 0) ::close(std::exchange(listener, -1));
  shard->accepts_late = false;
}

void HttpServer::State::admit(const Accepted& accepted) {
  auto& load = shard->load->connections;
  const auto before = load.fetch_add(1, std::memory_order_relaxed);
  const bool room = before < shard->load->connections_max.load(std::memory_order_relaxed);
  if (room && shard->service.connected(accepted.peer)) {
    if (before >= shard->load->connections_tried.load(std::memory_order_relaxed))
      shard->telemetry.count(Counter::would_refuse_connections);
    shard->load->connections_most.raise(before + 1);
    return serve_connection(shard, accepted);
  }
  load.fetch_sub(1, std::memory_order_relaxed);
  if (!room) shard->telemetry.count(Counter::connections_refused);
  refuse_connection(shard, accepted, room ? too_many_of_one : too_many);
}

// While there is a surplus, only as many as find work at once: what is not accepted waits in the
// kernel, where it costs nothing, and in a backlog that is short enough to be served in time.
int HttpServer::State::accepts_now() {
  const bool full = shard->line.surplus() > 0;
  const std::size_t turns = full ? shard->line.turns_max(shard->clock.now()) : 0;
  if (full != squeezed) {
    squeezed = full;
    const auto length = full ? std::clamp(turns / 2, backlog_least, backlog) : backlog;
    ::listen(listener, static_cast<int>(length));
  }
  if (!full) return accepts_a_turn;
  const auto busy = static_cast<int>(shard->line.turns());
  return std::clamp(static_cast<int>(turns / 8) + 1 - busy, 0, accepts_a_turn);
}

// Out of descriptors it waits for the next sweep: the next try would fail at once too.
void HttpServer::State::accept() {
  if (!shard->accepts_late || listener < 0) return;
  const int most = accepts_now();
  for (int i = 0; i < most && shard->accepts_late && listener >= 0; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = ::accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      admit({fd, peer_of(address)});
    } else if (errno != EINTR && errno != ECONNABORTED) {
      out_of_descriptors = errno != EAGAIN;
      shard->accepts_late = false;
    }
  }
}

void HttpServer::State::report_capacity() {
  const Duration each = shard->line.service();
  if (slots == nullptr || each <= Duration::zero()) return;
  slots->set_part(part, 1e9 / static_cast<double>(each.count()));
}

asio::awaitable<void> HttpServer::State::take_turns(TaskRecord* task) {
  const auto self = shared_from_this();
  const Waiting waiting{task, "sockets.ready", shard->clock.now()};
  while (!shard->stopped) {
    const bool more = shard->turn();
    accept();
    report_capacity();
    if (more || shard->accepts_late) {
      // The journal may have to share this core, and would wait for a whole slice of time.
      if (shard->line.overloaded(shard->clock.now())) ::sched_yield();
      error_code ignored;
      co_await asio::post(shard->context, shard->token(ignored));
    } else {
      shard->asleep = true;
      co_await shard->poller.wait();
      shard->asleep = false;
    }
  }
}

asio::awaitable<void> HttpServer::State::sweep(TaskRecord* task) {
  const auto self = shared_from_this();
  while (!shard->stopped) {
    const Instant due = shard->clock.now() + shard->limits.sweep_interval;
    if (task != nullptr) task->mark("clock.sleep", shard->now, due);
    if (!co_await shard->clock.sleep_until(due)) co_return;
    const Instant now = shard->clock.now();
    const Duration lag = std::max(now - due, Duration::zero());
    shard->telemetry.observe(Histogram::loop_lag_seconds, lag);
    shard->figures.loop_lag_ns.store(lag.count(), std::memory_order_relaxed);
    shard->figures.last_sweep.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    shard->sweep(now, shard->clock.wall());
    if (std::exchange(out_of_descriptors, false)) {
      shard->accepts_late = listener >= 0;
      shard->poller.stop();
    }
  }
}

std::shared_ptr<HttpLoad> make_http_load() {
  return std::make_shared<HttpLoad>();
}

HttpServer::HttpServer(asio::io_context& context, const HttpServerParts& parts)
    : state_(std::make_shared<State>(context, parts)) {}

HttpServer::~HttpServer() {
  state_->close();
  state_->shard->stopped = true;
  state_->tasks.cancel();
  state_->shard->abandon_all();
}

std::expected<std::uint16_t, ListenFault> HttpServer::listen(const std::string& address,
                                                             std::uint16_t port, Share share) {
  error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  if (error) return std::unexpected(fault_of(error, address, port));
  const auto bound = state_->open({parsed, port}, share);
  if (!bound) {
    state_->close();
    return std::unexpected(fault_of(bound.error(), address, port));
  }
  const auto executor = state_->shard->context.get_executor();
  const auto& tasks = state_->tasks;
  tasks.spawn(executor, "turns", for_ever,
              [state = state_](TaskRecord* task) { return state->take_turns(task); });
  tasks.spawn(executor, "sweep", for_ever,
              [state = state_](TaskRecord* task) { return state->sweep(task); });
  return *bound;
}

asio::awaitable<std::size_t> HttpServer::drain(Deadline deadline) {
  const auto state = state_;
  auto& shard = *state->shard;
  state->close();
  shard.start_drain();
  while (shard.count > 0 && !deadline.passed(shard.clock.now())) {
    const Instant step = shard.clock.now() + drain_step;
    co_await shard.clock.sleep_until(std::min(step, deadline.at));
  }
  const std::size_t cut_off = shard.count;
  shard.force_all();
  shard.stopped = true;
  shard.poller.stop();
  state->tasks.cancel();
  co_return cut_off;
}

void HttpServer::set_reading(const admission::ReadRules& rules) {
  state_->shard->line.set(rules);
}

const HttpShardFigures& HttpServer::figures() const {
  return state_->shard->figures;
}

}  // namespace vesper
