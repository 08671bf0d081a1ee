#include "io/http/connection_core.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstring>

#include "base/ensure.hpp"
#include "io/http/reply_writer.hpp"

namespace vesper {
namespace {

constexpr HttpFault too_slow{408, "the request did not arrive in time; send it again"};
constexpr HttpFault cut_off{408, "the connection ended before the whole request; send it again"};
constexpr HttpFault out_of_buffers{503,
                                   "the server holds as many bytes as it may; try again later"};
constexpr HttpFault too_large{413, "the body is larger than the limit"};

using Outcome = admission::ReadLine::Outcome;

constexpr std::size_t joined_body_max = 16 * 1024;  ///< larger bodies are not copied behind heads
constexpr std::size_t chunk_room_min = 1024;

}  // namespace

ConnectionCore::~ConnectionCore() {
  release();
  shard_->remove(*this);
}

void ConnectionCore::release() {
  if (work_) {
    shard_->blocks.give_back(std::move(work_->body));
    shard_->works.give_back(std::move(work_));
  }
  shard_->blocks.give_back(std::exchange(block_, {}));
  begin_ = end_ = 0;
}

auto ConnectionCore::fail_for_bytes() -> Next {
  shard_->telemetry.count(Counter::refused_for_bytes);
  return fail(out_of_buffers);
}

auto ConnectionCore::took(const boost::system::error_code& error, std::size_t bytes) -> Next {
  if (!error) {
    expired_ = false;
    end_ += bytes;
    return parse();
  }
  if (forced_) return Next::leave;
  const bool idle = phase_ == Phase::idle;
  if (error != asio::error::operation_aborted)
    return error == asio::error::eof && !idle ? fail(cut_off) : Next::leave;
  if (idle && (shard_->draining || expired_)) return Next::leave;
  return std::exchange(expired_, false) ? fail(too_slow) : Next::leave;
}

auto ConnectionCore::go_idle() -> Next {
  begin_ = end_ = 0;
  if (work_) shard_->works.give_back(std::move(work_));
  if (shard_->draining) return Next::leave;
  enter(Phase::idle, shard_->limits.idle_timeout);
  // An idle connection holds no memory, but TLS reads ahead.
  if (!tls_ || block_.size != BlockPool::block_bytes)
    shard_->blocks.give_back(std::exchange(block_, {}));
  return Next::more;
}

auto ConnectionCore::parse() -> Next {
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

bool ConnectionCore::enlarge_block(std::size_t size) {
  Block larger = shard_->blocks.take(size);
  if (!larger) return false;
  std::memcpy(larger.bytes.get(), block_.bytes.get(), end_);
  shard_->blocks.give_back(std::exchange(block_, std::move(larger)));
  return true;
}

void ConnectionCore::move_to_front() {
  std::memmove(block_.bytes.get(), block_.bytes.get() + begin_, end_ - begin_);
  end_ -= std::exchange(begin_, 0);
}

bool ConnectionCore::prepare_read() {
  if (!block_) {
    block_ = shard_->blocks.take();
    return static_cast<bool>(block_);
  }
  if (end_ < block_.size) return true;
  if (begin_ == 0)
    return enlarge_block(std::max(block_.size, shard_->limits.head.head_bytes_max) * 2);
  move_to_front();
  return true;
}

/// Before begin() sees the head: what follows it must have a place in the block, or its own.
bool ConnectionCore::make_room(std::size_t head_bytes) {
  const auto& head = exchange().head;
  const std::uint64_t left = block_.size - begin_ - head_bytes;
  const bool fits = head.chunked ? left >= chunk_room_min : head.content_length <= left;
  if (fits || (begin_ == 0 && !head.chunked)) return true;
  move_to_front();
  if (head.chunked && block_.size - head_bytes < chunk_room_min && !enlarge_block(block_.size * 2))
    return false;
  const auto again =
      parse_request_head(buffered(), work_->headers, exchange().head, shard_->limits.head);
  ensure(again.state == ParseState::complete && again.bytes == head_bytes);
  return true;
}

auto ConnectionCore::begin_request(std::size_t head_bytes) -> Next {
  if (!make_room(head_bytes)) return fail_for_bytes();
  Exchange& request = exchange();
  work_->prepare();
  request.started = shard_->clock.now();
  request.waited = std::exchange(waited_, {});
  request.surplus = std::exchange(surplus_, false);
  request.body_limit_bytes = shard_->limits.body_bytes_max;
  request.peer = peer_;
  request.connection_used = &allowance_used_;
  request.secure = tls_;
  request.task = task_.record();
  message_bytes_ = head_bytes;
  discard_bytes_ = 0;
  answered_ = shard_->service.begin(request);
  shard_->outcome = answered_ ? Outcome::refused : Outcome::admitted;
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

void ConnectionCore::begin_body() {
  phase_ = Phase::body;
  body_started_ = shard_->now;
  advance_body_due(0);
  mark(shard_->now, due_);
}

void ConnectionCore::advance_body_due(std::uint64_t received) {
  const auto& limits = shard_->limits;
  const auto rate = std::max<std::uint64_t>(limits.body_rate_min_bytes_per_s, 1);
  due_ = body_started_ + limits.body_grace + std::chrono::milliseconds{received * 1000 / rate};
}

bool ConnectionCore::grow_body(std::size_t wanted) {
  Block larger = shard_->blocks.take(wanted);
  if (!larger) return false;
  Block& body = work_->body;
  if (body) std::memcpy(larger.bytes.get(), body.bytes.get(), work_->body_bytes);
  shard_->blocks.give_back(std::exchange(body, std::move(larger)));
  return true;
}

bool ConnectionCore::append_body(std::string_view data) {
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

void ConnectionCore::explain() {
  if (!work_) work_ = shard_->works.take();
  Reply& reply = exchange().reply;
  reply.reset();
  shard_->service.explain(fault_.status, fault_.diagnostics, reply);
  exchange().head = {};
  keep_ = false;
  if (fault_.status == 503 || fault_.status == 429) return;  // no fault of the sender's
  shard_->telemetry.count(Counter::framing_faults);
}

void ConnectionCore::compose() {
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

void ConnectionCore::end_request() {
  begin_ += message_bytes_;
  shard_->blocks.give_back(std::exchange(work_->body, {}));
}

}  // namespace vesper
