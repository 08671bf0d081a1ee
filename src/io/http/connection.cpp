#include "io/http/connection.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/ensure.hpp"
#include "io/http/chunked_body.hpp"
#include "io/http/reply_writer.hpp"

namespace vesper {
namespace {

using TlsStream = asio::ssl::stream<TcpSocket>;
using boost::system::error_code;

constexpr HttpFault too_slow{408, "the request did not arrive in time; send it again"};
constexpr HttpFault cut_off{408, "the connection ended before the whole request; send it again"};
constexpr HttpFault no_buffer{503, "the server holds as many bytes as it may; try again later"};
constexpr HttpFault too_large{413, "the body is larger than the limit"};
constexpr HttpFault too_many{503, "the server has as many connections as it may; try again later"};

constexpr std::size_t joined_body_max = 16 * 1024;  ///< larger bodies are not copied behind heads
constexpr std::size_t body_step_bytes = 64 * 1024;  ///< first size of a body's own buffer
constexpr std::size_t chunk_room_min = 1024;
constexpr int burst_max = 32;  ///< pipelined requests before others on the shard get a turn

template <class Stream>
class Connection final : public ConnectionBase {
 public:
  template <class... Arguments>
  explicit Connection(std::shared_ptr<HttpShard> shard, Arguments&&... arguments)
      : shard_(std::move(shard)), stream_(std::forward<Arguments>(arguments)...) {
    error_code error;
    const auto endpoint = socket().remote_endpoint(error);
    if (!error) peer_ = endpoint.address().to_string();
    socket().set_option(asio::ip::tcp::no_delay(true), error);
    socket().non_blocking(true, error);
    shard_->add(*this);
  }
  ~Connection() override {
    release();
    shard_->remove(*this);
  }

  static asio::awaitable<void> run(std::unique_ptr<Connection> self);
  static asio::awaitable<void> refuse(std::unique_ptr<Connection> self);

 private:
  /// more: of the head; body: begin() wants it; ready: to be served or answered already.
  enum class Next : std::uint8_t { more, body, ready, refuse, leave };
  static constexpr bool tls = std::is_same_v<Stream, TlsStream>;

  TcpSocket& socket() {
    if constexpr (tls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }
  void wake() override {
    error_code ignored;
    socket().cancel(ignored);
  }
  void shut() override {
    error_code ignored;
    socket().close(ignored);
  }
  void enter(Phase phase, Duration timeout) {
    phase_ = phase;
    due_ = shard_->now + timeout;
  }
  Next fail(const HttpFault& fault) {
    fault_ = fault;
    return Next::refuse;
  }
  Next waited(const error_code& error);
  Next took(const error_code& error, std::size_t bytes);
  Next go_idle();
  Next parse();
  Next begin_request(std::size_t head_bytes);
  bool make_room(std::size_t head_bytes);
  bool prepare_read();
  void advance_body_due(std::uint64_t received);
  bool grow_body(std::size_t wanted);
  bool append_body(std::string_view data);
  asio::awaitable<Next> read_body();
  asio::awaitable<Next> read_sized_body();
  asio::awaitable<Next> read_chunked_body();
  asio::awaitable<bool> send_continue();
  void compose();
  void explain();
  bool write_now();
  asio::awaitable<bool> write_rest();
  asio::awaitable<bool> finish_request();
  asio::awaitable<bool> handshake();
  asio::awaitable<void> linger();
  void release();

  [[nodiscard]] std::string_view buffered() const {
    return {block_.bytes.get() + begin_, end_ - begin_};
  }
  [[nodiscard]] asio::mutable_buffer room() {
    return {block_.bytes.get() + end_, block_.size - end_};
  }
  [[nodiscard]] Exchange& exchange() { return work_->exchange; }

  std::shared_ptr<HttpShard> shard_;
  Stream stream_;
  std::string peer_;
  std::unique_ptr<Work> work_;
  Block block_;
  std::size_t begin_ = 0, end_ = 0;  ///< bytes of block_ not yet used
  std::size_t message_bytes_ = 0;    ///< of them, the request being served
  std::uint64_t discard_bytes_ = 0;  ///< of an unwanted body, still to come
  std::string_view rest_head_, rest_body_;
  HttpFault fault_;
  Instant body_started_{};
  int burst_ = 0;
  bool answered_ = false, keep_ = true;
};

template <class Stream>
void Connection<Stream>::release() {
  if (work_) {
    shard_->blocks.give_back(std::move(work_->body));
    shard_->works.give_back(std::move(work_));
  }
  shard_->blocks.give_back(std::exchange(block_, {}));
  begin_ = end_ = 0;
}

template <class Stream>
auto Connection<Stream>::waited(const error_code& error) -> Next {
  if (!error) return Next::more;
  return took(error, 0);
}

/// Judges what a read came to; on bytes, tries to parse.
template <class Stream>
auto Connection<Stream>::took(const error_code& error, std::size_t bytes) -> Next {
  shard_->set_warm(*this, false);
  if (!error) {
    expired_ = cool_down_ = false;
    end_ += bytes;
    return parse();
  }
  if (forced_) return Next::leave;
  const bool idle = phase_ == Phase::idle;
  if (error != asio::error::operation_aborted)
    return error == asio::error::eof && !idle ? fail(cut_off) : Next::leave;
  if (idle && (shard_->draining || expired_)) return Next::leave;
  if (std::exchange(cool_down_, false) && idle) {
    if (!tls) shard_->blocks.give_back(std::exchange(block_, {}));
    return Next::more;
  }
  return std::exchange(expired_, false) ? fail(too_slow) : Next::leave;
}

template <class Stream>
auto Connection<Stream>::go_idle() -> Next {
  begin_ = end_ = 0;
  if (shard_->draining) return Next::leave;
  enter(Phase::idle, shard_->limits.idle_timeout);
  if (block_ && block_.size != BlockPool::block_bytes)
    shard_->blocks.give_back(std::exchange(block_, {}));
  if (!tls && block_) {
    if (shard_->may_warm()) {
      shard_->set_warm(*this, true);
    } else {
      shard_->blocks.give_back(std::exchange(block_, {}));
    }
  }
  return Next::more;
}

template <class Stream>
auto Connection<Stream>::parse() -> Next {
  if (begin_ == end_) return go_idle();
  if (!work_) work_ = shard_->works.take();
  const auto parsed =
      parse_request_head(buffered(), work_->headers, exchange().head, shard_->limits.head);
  if (parsed.state == ParseState::complete) return begin_request(parsed.bytes);
  if (parsed.state == ParseState::fault) return fail(parsed.fault);
  // A slow head must not hold more than its bytes.
  shard_->works.give_back(std::move(work_));
  if (phase_ != Phase::head) enter(Phase::head, shard_->limits.head_timeout);
  return Next::more;
}

/// Room for the next read. Views into the block die here, so only between heads.
template <class Stream>
bool Connection<Stream>::prepare_read() {
  if (!block_) {
    block_ = shard_->blocks.take();
    return static_cast<bool>(block_);
  }
  if (end_ < block_.size) return true;
  if (begin_ == 0) {
    const auto& head = shard_->limits.head;
    Block larger = shard_->blocks.take(std::max(block_.size, head.head_bytes_max) * 2);
    if (!larger) return false;
    std::memcpy(larger.bytes.get(), block_.bytes.get(), end_);
    shard_->blocks.give_back(std::exchange(block_, std::move(larger)));
    return true;
  }
  std::memmove(block_.bytes.get(), block_.bytes.get() + begin_, end_ - begin_);
  end_ -= std::exchange(begin_, 0);
  return true;
}

/// Before begin() sees the head: what follows it must have a place in the block, or its own.
template <class Stream>
bool Connection<Stream>::make_room(std::size_t head_bytes) {
  const auto& head = exchange().head;
  const std::uint64_t left = block_.size - begin_ - head_bytes;
  const bool fits = head.chunked ? left >= chunk_room_min : head.content_length <= left;
  if (fits || (begin_ == 0 && !head.chunked)) return true;
  if (begin_ != 0) {
    std::memmove(block_.bytes.get(), block_.bytes.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (head.chunked && block_.size - head_bytes < chunk_room_min) {
    Block larger = shard_->blocks.take(block_.size * 2);
    if (!larger) return false;
    std::memcpy(larger.bytes.get(), block_.bytes.get(), end_);
    shard_->blocks.give_back(std::exchange(block_, std::move(larger)));
  }
  const auto again =
      parse_request_head(buffered(), work_->headers, exchange().head, shard_->limits.head);
  ensure(again.state == ParseState::complete && again.bytes == head_bytes);
  return true;
}

template <class Stream>
auto Connection<Stream>::begin_request(std::size_t head_bytes) -> Next {
  if (!make_room(head_bytes)) return fail(no_buffer);
  Exchange& request = exchange();
  work_->prepare();
  request.started = shard_->clock.now();
  request.body_limit_bytes = shard_->limits.body_bytes_max;
  request.peer = peer_;
  request.secure = tls;
  message_bytes_ = head_bytes;
  discard_bytes_ = 0;
  answered_ = shard_->service.begin(request);
  keep_ = request.head.keep_alive;
  if (request.head.chunked) return Next::body;
  const std::uint64_t length = request.head.content_length;
  const std::uint64_t have = end_ - begin_ - head_bytes;
  if (length <= have) {
    message_bytes_ += length;
    if (!answered_ && length > request.body_limit_bytes) return fail(too_large);
    request.body = buffered().substr(head_bytes, length);
    return Next::ready;
  }
  if (!answered_) return length > request.body_limit_bytes ? fail(too_large) : Next::body;
  // A refusal need not wait for its body. A client that was never told to continue may send the
  // next request instead of it, so then nothing more can be read.
  message_bytes_ = end_ - begin_;
  discard_bytes_ = length - have;
  if (discard_bytes_ > shard_->limits.drain_bytes_max || request.head.expects_continue)
    keep_ = false;
  return Next::ready;
}

template <class Stream>
void Connection<Stream>::advance_body_due(std::uint64_t received) {
  const auto& limits = shard_->limits;
  const auto rate = std::max<std::uint64_t>(limits.body_rate_min_bytes_per_s, 1);
  due_ = body_started_ + limits.body_grace + std::chrono::milliseconds{received * 1000 / rate};
}

template <class Stream>
auto Connection<Stream>::read_body() -> asio::awaitable<Next> {
  phase_ = Phase::body;
  body_started_ = shard_->now;
  advance_body_due(0);
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
  error_code error;
  co_await asio::async_write(stream_, asio::buffer(line), shard_->token(error));
  co_return !error;
}

/// The whole body lies behind its head when it fits there, else in a buffer that grows as it comes:
/// a length that is only claimed costs nothing.
template <class Stream>
auto Connection<Stream>::read_sized_body() -> asio::awaitable<Next> {
  const std::size_t length = exchange().head.content_length;
  const std::size_t start = begin_ + message_bytes_;
  const bool in_place = length <= block_.size - start;
  if (!in_place) {
    if (!grow_body(std::min(length, body_step_bytes))) co_return fail(no_buffer);
    work_->body_bytes = end_ - start;
    std::memcpy(work_->body.bytes.get(), block_.bytes.get() + start, work_->body_bytes);
    end_ = start;
  }
  std::size_t have = in_place ? end_ - start : work_->body_bytes;
  while (have < length) {
    if (!in_place && have == work_->body.size && !grow_body(std::min(length, have * 2)))
      co_return fail(no_buffer);
    char* at = in_place ? block_.bytes.get() + end_ : work_->body.bytes.get() + have;
    const std::size_t space = in_place ? block_.size - end_ : work_->body.size - have;
    error_code error;
    const std::size_t bytes =
        co_await stream_.async_read_some(asio::buffer(at, space), shard_->token(error));
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

template <class Stream>
bool Connection<Stream>::grow_body(std::size_t wanted) {
  Block larger = shard_->blocks.take(wanted);
  if (!larger) return false;
  Block& body = work_->body;
  if (body) std::memcpy(larger.bytes.get(), body.bytes.get(), work_->body_bytes);
  shard_->blocks.give_back(std::exchange(body, std::move(larger)));
  return true;
}

template <class Stream>
bool Connection<Stream>::append_body(std::string_view data) {
  if (data.empty()) return true;
  const std::size_t needed = work_->body_bytes + data.size();
  if (needed > work_->body.size) {
    const std::size_t size = std::max({needed, work_->body.size * 2, BlockPool::block_bytes});
    if (!grow_body(size)) return false;
  }
  std::memcpy(work_->body.bytes.get() + work_->body_bytes, data.data(), data.size());
  work_->body_bytes = needed;
  return true;
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
      if (!answered_ && !append_body(step.data)) co_return fail(no_buffer);
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
    const std::size_t bytes = co_await stream_.async_read_some(room(), shard_->token(error));
    if (error) co_return took(error, 0);
    expired_ = false;
    end_ += bytes;
    advance_body_due(received += bytes);
  }
}

template <class Stream>
void Connection<Stream>::explain() {
  if (!work_) work_ = shard_->works.take();
  Reply& reply = exchange().reply;
  reply.reset();
  shard_->service.explain(fault_.status, fault_.diagnostics, reply);
  exchange().head = {};
  keep_ = false;
  shard_->telemetry.count(Counter::framing_faults);
}

template <class Stream>
void Connection<Stream>::compose() {
  const Reply& reply = exchange().reply;
  const RequestHead& head = exchange().head;
  keep_ = keep_ && !reply.close && !shard_->draining;
  std::string& out = work_->out;
  out.clear();
  append_reply_head(
      out, reply,
      {.date_line = shard_->date, .close = !keep_, .keep_alive = keep_ && head.minor_version == 0});
  const bool bodiless = head.method == Method::head || reply.status == 204 || reply.status == 304;
  rest_body_ = bodiless ? std::string_view{} : std::string_view{reply.body};
  if (rest_body_.size() <= joined_body_max) {
    out.append(rest_body_);
    rest_body_ = {};
  }
  rest_head_ = out;
  const auto status_class = std::clamp(reply.status / 100, 2, 5) - 2;
  shard_->telemetry.count(
      static_cast<Counter>(static_cast<int>(Counter::requests_2xx) + status_class));
  auto& requests = shard_->figures.requests;
  requests.store(requests.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// Whether the whole answer went into the socket at once, as it nearly always does.
template <class Stream>
bool Connection<Stream>::write_now() {
  if constexpr (tls) {
    return false;
  } else {
    if (!rest_body_.empty()) return false;
    error_code error;
    rest_head_.remove_prefix(stream_.write_some(asio::buffer(rest_head_), error));
    return rest_head_.empty();
  }
}

template <class Stream>
auto Connection<Stream>::write_rest() -> asio::awaitable<bool> {
  enter(Phase::writing, shard_->limits.write_timeout);
  while (!rest_head_.empty() || !rest_body_.empty()) {
    const std::array<asio::const_buffer, 2> rest{asio::buffer(rest_head_),
                                                 asio::buffer(rest_body_)};
    error_code error;
    const std::size_t bytes = co_await stream_.async_write_some(rest, shard_->token(error));
    if (error) co_return false;
    const std::size_t of_head = std::min(bytes, rest_head_.size());
    rest_head_.remove_prefix(of_head);
    rest_body_.remove_prefix(bytes - of_head);
    enter(Phase::writing, shard_->limits.write_timeout);
  }
  co_return true;
}

/// Drops the request's bytes; false when what is left of an unwanted body does not come.
template <class Stream>
auto Connection<Stream>::finish_request() -> asio::awaitable<bool> {
  phase_ = Phase::body;
  body_started_ = shard_->now;
  std::uint64_t received = 0;
  while (discard_bytes_ > 0) {
    advance_body_due(received);
    const auto size = std::min<std::uint64_t>(discard_bytes_, shard_->discard.size());
    error_code error;
    const std::size_t bytes = co_await stream_.async_read_some(
        asio::buffer(shard_->discard.data(), size), shard_->token(error));
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
  if constexpr (tls) co_await stream_.async_shutdown(shard_->token(error));
  socket().shutdown(TcpSocket::shutdown_send, error);
  while (!error && !expired_)
    co_await socket().async_read_some(asio::buffer(shard_->discard), shard_->token(error));
}

template <class Stream>
asio::awaitable<void> Connection<Stream>::run(std::unique_ptr<Connection> self) {
  Connection& c = *self;
  error_code error;
  if (tls && !co_await c.handshake()) co_return;
  Next next = c.parse();
  for (;;) {
    while (next == Next::more) {
      c.burst_ = 0;
      if (!tls && !c.block_) {
        co_await c.socket().async_wait(TcpSocket::wait_read, c.shard_->token(error));
        next = c.waited(error);
        if (next != Next::more || error) continue;
      }
      if (!c.prepare_read()) {
        next = c.fail(no_buffer);
        break;
      }
      const std::size_t bytes =
          co_await c.stream_.async_read_some(c.room(), c.shard_->token(error));
      next = c.took(error, bytes);
    }
    if (next == Next::body) next = co_await c.read_body();
    if (next == Next::leave) co_return;
    if (next == Next::refuse) {
      c.explain();
    } else if (!c.answered_) {
      c.phase_ = Phase::serving;
      co_await c.shard_->service.serve(c.exchange());
    }
    c.compose();
    if (!c.write_now() && !co_await c.write_rest()) co_return;
    if (!c.keep_) break;
    if (c.discard_bytes_ > 0 && !co_await c.finish_request()) co_return;
    c.begin_ += c.message_bytes_;
    c.shard_->blocks.give_back(std::exchange(c.work_->body, {}));
    if (++c.burst_ > burst_max) {
      c.burst_ = 0;
      co_await asio::post(c.shard_->context, c.shard_->token(error));
    }
    next = c.parse();
    if (next == Next::more && c.work_) c.shard_->works.give_back(std::move(c.work_));
  }
  co_await c.linger();
}

template <class Stream>
asio::awaitable<void> Connection<Stream>::refuse(std::unique_ptr<Connection> self) {
  Connection& c = *self;
  c.fault_ = too_many;
  c.explain();
  c.compose();
  if (!c.write_now()) co_return;
  co_await c.linger();
}

}  // namespace

void serve_connection(const std::shared_ptr<HttpShard>& shard, TcpSocket socket) {
  const auto ended = [shard](const std::exception_ptr&) {
    shard->load->connections.fetch_sub(1, std::memory_order_relaxed);
    shard->telemetry.add(Gauge::connections_open, -1);
  };
  shard->telemetry.count(Counter::connections_opened);
  shard->telemetry.add(Gauge::connections_open, 1);
  if (shard->tls) {
    const auto context = shard->tls->current();
    auto connection = std::make_unique<Connection<TlsStream>>(shard, std::move(socket), *context);
    asio::co_spawn(shard->context, Connection<TlsStream>::run(std::move(connection)), ended);
  } else {
    auto connection = std::make_unique<Connection<TcpSocket>>(shard, std::move(socket));
    asio::co_spawn(shard->context, Connection<TcpSocket>::run(std::move(connection)), ended);
  }
}

void refuse_connection(const std::shared_ptr<HttpShard>& shard, TcpSocket socket) {
  ++shard->refusing;
  auto connection = std::make_unique<Connection<TcpSocket>>(shard, std::move(socket));
  asio::co_spawn(shard->context, Connection<TcpSocket>::refuse(std::move(connection)),
                 [shard](const std::exception_ptr&) { --shard->refusing; });
}

}  // namespace vesper
