#include "io/https_client/plain_wire.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <iterator>
#include <utility>

namespace vesper {
namespace {

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

PlainWire::PlainWire(int fd, std::shared_ptr<WirePoller> poller)
    : fd_(fd), poller_(std::move(poller)) {
  if (!poller_->add(fd_, *this)) ::close(std::exchange(fd_, -1));
}

void PlainWire::close() {
  if (fd_ < 0) return;
  poller_->forget(*this);
  ::close(std::exchange(fd_, -1));
}

void PlainWire::begin(std::string_view head, std::string_view body, ResponseParser& parser) {
  parser_ = &parser;
  rest_.clear();
  fault_ = WireFault::none;
  ended_ = reusable_ = stale_ = write_failed_ = false;
  if (fd_ < 0) return end(WireFault::cut);
  char byte;
  if (readable_ && !(::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && would_block())) {
    // Nobody was asked for what came: it was closed, or it says more than it should.
    stale_ = used_;
    return end(WireFault::cut);
  }
  readable_ = false;
  send(head, body);
}

void PlainWire::send(std::string_view head, std::string_view body) {
  // sendmsg() takes what it does not change as char*.
  iovec pieces[] = {{const_cast<char*>(head.data()), head.size()},
                    {const_cast<char*>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = std::size(pieces);
  const ssize_t result = ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (result < 0 && !would_block()) {
    // The server may have refused early, and have said why: that is read.
    write_failed_ = readable_ = true;
    return;
  }
  const std::size_t sent = result < 0 ? 0 : static_cast<std::size_t>(result);
  if (sent == head.size() + body.size()) return;
  writable_ = false;
  rest_ = head.substr(std::min(sent, head.size()));
  rest_ += body.substr(sent - std::min(sent, head.size()));
}

void PlainWire::send_rest() {
  const std::string rest = std::exchange(rest_, {});
  send(rest, {});
}

bool PlainWire::advance() {
  if (!ended_ && writable_ && !rest_.empty()) send_rest();
  while (!ended_ && readable_) receive();
  return ended_;
}

void PlainWire::receive() {
  std::array<char, 8192> buffer;
  const ssize_t result = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (result < 0 && would_block()) {
    readable_ = false;
    return;
  }
  if (result <= 0) {
    const bool started = parser_->started();
    if (result == 0 && parser_->end() == ResponseParser::Progress::done)
      return end(WireFault::none);
    stale_ = used_ && !started;
    return end(WireFault::cut);
  }
  // Less than there was room for: that was all, unless the end has come as well.
  std::string_view bytes{buffer.data(), static_cast<std::size_t>(result)};
  readable_ = bytes.size() == buffer.size() || hung_up_;
  const auto progress = parser_->feed(bytes);
  if (progress == ResponseParser::Progress::more) return;
  if (progress == ResponseParser::Progress::bad) return end(WireFault::not_http);
  reusable_ = parser_->keep_alive() && bytes.empty() && rest_.empty() && !write_failed_;
  used_ = true;
  end(WireFault::none);
}

void PlainWire::end(WireFault fault) {
  fault_ = fault;
  ended_ = true;
}

void PlainWire::on_events(std::uint32_t events) {
  hung_up_ |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  readable_ |= (events & EPOLLIN) != 0 || hung_up_;
  writable_ |= (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
  if (!waiting_ || !(readable_ || (writable_ && !rest_.empty()))) return;
  std::exchange(waiting_, {})();
}

void PlainWire::expire() {
  close();
  end(WireFault::timed_out);
  resume_later();
}

void PlainWire::cancel() {
  end(WireFault::cut);
  resume_later();
}

void PlainWire::resume_later() {
  if (waiting_) asio::post(poller_->executor(), std::exchange(waiting_, {}));
}

}  // namespace vesper
