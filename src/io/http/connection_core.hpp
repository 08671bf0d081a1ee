#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "io/http/request_parser.hpp"
#include "io/http/shard.hpp"

namespace vesper {

/// What a connection holds and decides between two operations on its socket.
///   Shape:  buffers, framing and answers; no operation on the socket but wake() and shut(), which
///           the derived class has. Each step says in `Next` what the driver does next.
///   Thread: the shard's.
class ConnectionCore : public ConnectionBase {
 public:
  ~ConnectionCore() override;

 protected:
  /// more: of the head; body: begin() wants it; ready: to be served, or answered already.
  enum class Next : std::uint8_t { more, body, ready, refuse, leave };

  ConnectionCore(std::shared_ptr<HttpShard> shard, bool tls)
      : shard_(std::move(shard)), task_(shard_->scope.begin("connection", for_ever)), tls_(tls) {
    shard_->add(*this);
  }

  void depart() override { exchange().departure.leave(); }

  void enter(Phase phase, Duration timeout) {
    phase_ = phase;
    due_ = shard_->now + timeout;
    mark(shard_->now, due_);
  }
  void begin_serving() {
    phase_ = Phase::serving;
    serving_since_ = exchange().started;
    mark(serving_since_, exchange().deadline.at);
  }
  /// Says in the registry of tasks where this connection is.
  void mark(Instant now, Instant until) {
    if (auto* task = task_.record()) task->set(site_of(phase_), now, until);
  }
  Next fail(const HttpFault& fault) {
    fault_ = fault;
    return Next::refuse;
  }
  /// There is no memory for what this connection sends.
  Next fail_for_bytes();
  /// Judges what a read came to; on bytes, tries to parse.
  Next took(const boost::system::error_code& error, std::size_t bytes);
  /// Parses what is buffered, or goes idle when there is nothing.
  Next parse();
  /// Room for the next read of a head; false when there is no memory for it. Views die here.
  bool prepare_read();
  void begin_body();
  /// The body is due at its minimum rate.
  void advance_body_due(std::uint64_t received);
  bool grow_body(std::size_t wanted);
  bool append_body(std::string_view data);
  /// Puts the answer to fault_ into the exchange.
  void explain();
  /// Makes the bytes of the answer: rest_head_, then rest_body_.
  void compose();
  /// Drops the request that was answered; its bytes and its memory are free again.
  void end_request();
  /// Gives back all memory.
  void release();

  [[nodiscard]] std::string_view buffered() const {
    return {block_.bytes.get() + begin_, end_ - begin_};
  }
  [[nodiscard]] asio::mutable_buffer room() {
    return {block_.bytes.get() + end_, block_.size - end_};
  }
  [[nodiscard]] Exchange& exchange() { return work_->exchange; }

  std::shared_ptr<HttpShard> shard_;
  Task task_;
  PeerAddress peer_;
  std::uint64_t allowance_used_ = 0;  ///< of the connection's own, for admission
  std::unique_ptr<Work> work_;
  Block block_;
  std::size_t begin_ = 0, end_ = 0;         ///< bytes of block_ not yet used
  std::size_t message_bytes_ = 0;           ///< of them, the request being served
  std::uint64_t discard_bytes_ = 0;         ///< of an unwanted body, still to come
  std::string_view rest_head_, rest_body_;  ///< of the answer, not yet written
  HttpFault fault_;
  Instant body_started_{};
  bool answered_ = false;  ///< by begin()
  bool keep_ = true;       ///< the connection, after this answer
  const bool tls_;

 private:
  Next go_idle();
  Next begin_request(std::size_t head_bytes);
  bool make_room(std::size_t head_bytes);
  bool enlarge_block(std::size_t size);
  void move_to_front();
};

}  // namespace vesper
