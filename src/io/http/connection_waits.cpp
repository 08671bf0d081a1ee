#include "io/http/connection_waits.hpp"

#include <sys/epoll.h>

namespace vesper {

void ConnectionWaits::on_events(std::uint32_t events, Instant now) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) gone_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
  if (wait_ == Wait::turn && readable_ && where == Where::nowhere)
    return shard_->enter_line(*this, std::exchange(first_, false) ? came_at(now) : now);
  if ((wait_ == Wait::reading && readable_) || (wait_ == Wait::writing && writable_)) resume();
}

asio::awaitable<bool> ConnectionWaits::turn() {
  if (readable_) shard_->enter_line(*this, shard_->clock.now());
  return wait(Wait::turn);
}
asio::awaitable<bool> ConnectionWaits::readable() {
  return wait(Wait::reading);
}
asio::awaitable<bool> ConnectionWaits::writable() {
  return wait(Wait::writing);
}

bool ConnectionWaits::interrupt() {
  if (!waiting_) return false;
  shard_->line.leave(*this);
  woken_ = true;
  resume();
  return true;
}

asio::awaitable<bool> ConnectionWaits::wait(Wait what) {
  wait_ = what;
  return asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
      [this](Handler handler) { waiting_.emplace(std::move(handler)); }, asio::use_awaitable);
}

void ConnectionWaits::resume() {
  if (!waiting_) return;
  Handler handler = std::move(*waiting_);
  waiting_.reset();
  wait_ = Wait::nothing;
  std::move(handler)(!std::exchange(woken_, false));
}

}  // namespace vesper
