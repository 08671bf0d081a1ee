#include "io/http/connection.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstring>
#include <type_traits>
#include <utility>

#include "io/http/chunked_body.hpp"
#include "io/http/connection_waits.hpp"
#include "io/http/plain_socket.hpp"

namespace vesper {
namespace {

using TlsStream = asio::ssl::stream<TcpSocket>;
using boost::system::error_code;

constexpr std::size_t refusing_max = 64;  ///< connections that are being told why they are refused
constexpr std::size_t body_step_bytes = 64 * 1024;  ///< first size of a body's own buffer
constexpr int burst_max = 32;  ///< pipelined requests before others on the shard get a turn

/// Drives a ConnectionCore over a plain or a TLS socket.
template <class Stream>
class Connection final : public ConnectionWaits {
 public:
  template <class... Arguments>
  explicit Connection(std::shared_ptr<HttpShard> shard, PeerAddress peer, Arguments&&... arguments)
      : ConnectionWaits(std::move(shard), tls), stream_(std::forward<Arguments>(arguments)...) {
    peer_ = peer;
    if constexpr (!tls) watched_ = shard_->poller.add(stream_.fd(), *this);
  }

  static asio::awaitable<void> run(std::unique_ptr<Connection> self);
  static asio::awaitable<void> refuse(std::unique_ptr<Connection> self, HttpFault why);

 private:
  static constexpr bool tls = std::is_same_v<Stream, TlsStream>;

  void wake() override {
    if (interrupt()) return;
    error_code ignored;
    if constexpr (tls) stream_.next_layer().cancel(ignored);
  }
  void shut() override {
    error_code ignored;
    if constexpr (tls) {
      stream_.next_layer().close(ignored);
    } else {
      stream_.close();
    }
    (void)interrupt();
  }
  [[nodiscard]] Instant came_at(Instant now) const override {
    if constexpr (tls) {
      return now;
    } else {
      return now - stream_.since_last_bytes();
    }
  }

  /// Reads what there is of a head, when its turn has come.
  asio::awaitable<Next> read_head();
  asio::awaitable<std::size_t> read_some(asio::mutable_buffer room, error_code& error);
  std::size_t read_now(asio::mutable_buffer room, error_code& error);
  asio::awaitable<std::size_t> write_some(error_code& error);
  asio::awaitable<Next> read_body();
  asio::awaitable<Next> read_sized_body();
  asio::awaitable<Next> read_chunked_body();
  asio::awaitable<bool> send_continue();
  bool write_now();
  asio::awaitable<bool> write_rest();
  asio::awaitable<bool> discard_body();
  asio::awaitable<bool> handshake();
  asio::awaitable<void> linger();

  Stream stream_;
  int burst_ = 0;
  bool watched_ = true;  ///< by the poller, if it has to be
};

/// Bytes that are there already. A short read has emptied a socket whose peer may still write.
template <class Stream>
std::size_t Connection<Stream>::read_now(asio::mutable_buffer room, error_code& error) {
  const std::size_t bytes = stream_.receive(room, error);
  if (error == asio::error::would_block || (!error && bytes < room.size() && !gone_))
    readable_ = false;
  return bytes;
}

template <class Stream>
auto Connection<Stream>::read_some(asio::mutable_buffer room, error_code& error)
    -> asio::awaitable<std::size_t> {
  if constexpr (tls) {
    co_return co_await stream_.async_read_some(room, shard_->token(error));
  } else {
    while (!forced_) {
      if (readable_) {
        const std::size_t bytes = read_now(room, error);
        if (error != asio::error::would_block) co_return bytes;
      }
      if (!co_await readable()) break;
    }
    error = asio::error::operation_aborted;
    co_return 0;
  }
}

template <class Stream>
auto Connection<Stream>::write_some(error_code& error) -> asio::awaitable<std::size_t> {
  if constexpr (tls) {
    const std::array<asio::const_buffer, 2> rest{asio::buffer(rest_head_),
                                                 asio::buffer(rest_body_)};
    co_return co_await stream_.async_write_some(rest, shard_->token(error));
  } else {
    while (!forced_) {
      const std::size_t bytes = stream_.send(rest_head_, rest_body_, error);
      if (error != asio::error::would_block) co_return bytes;
      writable_ = false;
      if (!co_await writable()) break;
    }
    error = asio::error::operation_aborted;
    co_return 0;
  }
}

template <class Stream>
auto Connection<Stream>::read_body() -> asio::awaitable<Next> {
  begin_body();
  const bool nothing_came = end_ - begin_ == message_bytes_;
  if (exchange().head.expects_continue && nothing_came) {
    if (answered_) {
      keep_ = false;
      co_return Next::ready;
    }
    if (!co_await send_continue()) co_return Next::leave;
  }
  if (exchange().head.chunked) co_return co_await read_chunked_body();
  co_return co_await read_sized_body();
}

template <class Stream>
auto Connection<Stream>::send_continue() -> asio::awaitable<bool> {
  static constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
  rest_head_ = line;
  rest_body_ = {};
  const bool sent = write_now() || co_await write_rest();
  begin_body();
  co_return sent;
}

/// The whole body lies behind its head when it fits there, else in a buffer that grows as it comes:
/// a length that is only claimed costs nothing.
template <class Stream>
auto Connection<Stream>::read_sized_body() -> asio::awaitable<Next> {
  const std::size_t length = exchange().head.content_length;
  const std::size_t start = begin_ + message_bytes_;
  const bool in_place = length <= block_.size - start;
  if (!in_place) {
    if (!grow_body(std::min(length, body_step_bytes))) co_return fail_for_bytes();
    work_->body_bytes = end_ - start;
    std::memcpy(work_->body.bytes.get(), block_.bytes.get() + start, work_->body_bytes);
    end_ = start;
  }
  std::size_t have = in_place ? end_ - start : work_->body_bytes;
  while (have < length) {
    if (!in_place && have == work_->body.size && !grow_body(std::min(length, have * 2)))
      co_return fail_for_bytes();
    char* at = in_place ? block_.bytes.get() + end_ : work_->body.bytes.get() + have;
    const std::size_t space = in_place ? block_.size - end_ : work_->body.size - have;
    error_code error;
    const std::size_t bytes = co_await read_some(asio::buffer(at, space), error);
    if (error) co_return took(error, 0);
    expired_ = false;
    have += bytes;
    in_place ? end_ += bytes : work_->body_bytes = have;
    advance_body_due(have);
  }
  const char* body = in_place ? block_.bytes.get() + start : work_->body.bytes.get();
  exchange().body = {body, length};
  if (in_place) message_bytes_ += length;
  co_return Next::ready;
}

/// Reads to the end of the body even when begin() has refused it: whether the framing holds must
/// not depend on how the bytes were cut on their way.
template <class Stream>
auto Connection<Stream>::read_chunked_body() -> asio::awaitable<Next> {
  const std::size_t start = begin_ + message_bytes_;
  ChunkedDecoder decoder{answered_ ? shard_->limits.drain_bytes_max : exchange().body_limit_bytes};
  std::uint64_t received = 0;
  for (;;) {
    std::string_view in{block_.bytes.get() + start, end_ - start};
    ChunkedDecoder::Step step;
    do {
      step = decoder.next(in);
      in.remove_prefix(step.consumed);
      if (!answered_ && !append_body(step.data)) co_return fail_for_bytes();
    } while (step.state == ParseState::more && !in.empty());
    if (step.state == ParseState::complete) {
      message_bytes_ = static_cast<std::size_t>(in.data() - block_.bytes.get()) - begin_;
      exchange().body = {work_->body.bytes.get(), work_->body_bytes};
      co_return Next::ready;
    }
    if (step.state == ParseState::fault) {
      keep_ = false;
      const bool refused_and_long = answered_ && step.fault.status == 413;
      co_return refused_and_long ? Next::ready : fail(step.fault);
    }
    end_ = start;
    error_code error;
    const std::size_t bytes = co_await read_some(room(), error);
    if (error) co_return took(error, 0);
    expired_ = false;
    end_ += bytes;
    advance_body_due(received += bytes);
  }
}

/// Whether the whole answer went into the socket at once, as it nearly always does.
template <class Stream>
bool Connection<Stream>::write_now() {
  if constexpr (tls) {
    return false;
  } else {
    if (!rest_body_.empty()) return false;
    error_code error;
    rest_head_.remove_prefix(stream_.send(rest_head_, {}, error));
    return rest_head_.empty();
  }
}

template <class Stream>
auto Connection<Stream>::write_rest() -> asio::awaitable<bool> {
  enter(Phase::writing, shard_->limits.write_timeout);
  while (!rest_head_.empty() || !rest_body_.empty()) {
    error_code error;
    const std::size_t bytes = co_await write_some(error);
    if (error) co_return false;
    const std::size_t of_head = std::min(bytes, rest_head_.size());
    rest_head_.remove_prefix(of_head);
    rest_body_.remove_prefix(bytes - of_head);
    enter(Phase::writing, shard_->limits.write_timeout);
  }
  co_return true;
}

/// Reads past an unwanted body; false when it does not come.
template <class Stream>
auto Connection<Stream>::discard_body() -> asio::awaitable<bool> {
  begin_body();
  std::uint64_t received = 0;
  while (discard_bytes_ > 0) {
    advance_body_due(received);
    const auto size = std::min<std::uint64_t>(discard_bytes_, shard_->discard.size());
    error_code error;
    const std::size_t bytes = co_await read_some(asio::buffer(shard_->discard.data(), size), error);
    if (error) co_return false;
    received += bytes;
    discard_bytes_ -= bytes;
  }
  co_return true;
}

template <class Stream>
auto Connection<Stream>::handshake() -> asio::awaitable<bool> {
  enter(Phase::handshake, shard_->limits.handshake_timeout);
  error_code error;
  if constexpr (tls) co_await stream_.async_handshake(TlsStream::server, shard_->token(error));
  co_return !error;
}

/// Ends our side, then reads and drops what still comes, so that no reset destroys the answer on
/// its way.
template <class Stream>
auto Connection<Stream>::linger() -> asio::awaitable<void> {
  release();
  enter(Phase::lingering, shard_->limits.linger);
  expired_ = false;
  error_code error;
  if constexpr (tls) {
    co_await stream_.async_shutdown(shard_->token(error));
    auto& socket = stream_.next_layer();
    socket.shutdown(TcpSocket::shutdown_send, error);
    while (!error && !expired_)
      co_await socket.async_read_some(asio::buffer(shard_->discard), shard_->token(error));
  } else {
    stream_.shut_down_send();
    while (!error && !expired_) co_await read_some(asio::buffer(shard_->discard), error);
  }
}

template <class Stream>
auto Connection<Stream>::read_head() -> asio::awaitable<Next> {
  if (forced_) co_return Next::leave;
  error_code error;
  std::size_t bytes = 0;
  if constexpr (tls) {
    if (!prepare_read()) co_return fail_for_bytes();
    bytes = co_await stream_.async_read_some(room(), shard_->token(error));
    readable_ = true;
  }
  if (!tls || (!error && !shard_->line.empty())) {
    if (!co_await turn()) co_return took(asio::error::operation_aborted, 0);
    if (unread_) co_return Next::leave;
  }
  if constexpr (!tls) {
    if (!prepare_read()) co_return fail_for_bytes();
    bytes = read_now(room(), error);
    if (error == asio::error::would_block) co_return Next::more;
  }
  co_return took(error, bytes);
}

template <class Stream>
asio::awaitable<void> Connection<Stream>::run(std::unique_ptr<Connection> self) {
  Connection& c = *self;
  error_code error;
  if (!c.watched_) co_return;
  if (tls && !co_await c.handshake()) co_return;
  Next next = c.parse();
  for (;;) {
    while (next == Next::more) {
      c.burst_ = 0;
      next = co_await c.read_head();
    }
    if (next == Next::body) next = co_await c.read_body();
    if (next == Next::leave) co_return;
    if (next == Next::refuse) {
      c.explain();
    } else if (!c.answered_) {
      c.begin_serving();
      co_await c.shard_->service.serve(c.exchange());
    }
    c.compose();
    if (!c.write_now() && !co_await c.write_rest()) co_return;
    if (!c.keep_) break;
    if (c.discard_bytes_ > 0 && !co_await c.discard_body()) co_return;
    c.end_request();
    if (++c.burst_ > burst_max) {
      c.burst_ = 0;
      co_await asio::post(c.shard_->context, c.shard_->token(error));
    }
    next = c.parse();
  }
  co_await c.linger();
}

template <class Stream>
asio::awaitable<void> Connection<Stream>::refuse(std::unique_ptr<Connection> self, HttpFault why) {
  Connection& c = *self;
  c.fault_ = why;
  c.explain();
  c.compose();
  if (!c.write_now()) co_return;
  co_await c.linger();
}

}  // namespace

void serve_connection(const std::shared_ptr<HttpShard>& shard, const Accepted& accepted) {
  const auto ended = [shard, peer = accepted.peer] {
    shard->service.disconnected(peer);
    shard->load->connections.fetch_sub(1, std::memory_order_relaxed);
    shard->telemetry.add(Gauge::connections_open, -1);
  };
  const auto executor = shard->context.get_executor();
  shard->telemetry.count(Counter::connections_opened);
  shard->telemetry.add(Gauge::connections_open, 1);
  if (shard->tls) {
    const auto context = shard->tls->current();
    TcpSocket socket{shard->context.get_executor()};
    error_code ignored;
    socket.assign(asio::ip::tcp::v4(), accepted.fd, ignored);
    socket.non_blocking(true, ignored);
    auto connection =
        std::make_unique<Connection<TlsStream>>(shard, accepted.peer, std::move(socket), *context);
    TaskScope::spawn_begun(executor, Connection<TlsStream>::run(std::move(connection)), ended);
  } else {
    auto connection = std::make_unique<Connection<PlainSocket>>(shard, accepted.peer, accepted.fd);
    TaskScope::spawn_begun(executor, Connection<PlainSocket>::run(std::move(connection)), ended);
  }
}

void refuse_connection(const std::shared_ptr<HttpShard>& shard, const Accepted& accepted,
                       const HttpFault& why) {
  if (shard->tls || shard->refusing >= refusing_max) return static_cast<void>(::close(accepted.fd));
  ++shard->refusing;
  auto connection = std::make_unique<Connection<PlainSocket>>(shard, accepted.peer, accepted.fd);
  TaskScope::spawn_begun(shard->context.get_executor(),
                         Connection<PlainSocket>::refuse(std::move(connection), why),
                         [shard] { --shard->refusing; });
}

}  // namespace vesper
