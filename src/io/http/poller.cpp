#include "io/http/poller.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/ensure.hpp"

namespace vesper {

Poller::Poller(asio::io_context& context) : descriptor_(context.get_executor()) {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  ensure(fd >= 0);
  descriptor_.assign(fd);
}

bool Poller::add(int fd, Pollable& what) {
  epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = &what}};
  return epoll_ctl(descriptor_.native_handle(), EPOLL_CTL_ADD, fd, &event) == 0;
}

std::span<const epoll_event> Poller::harvest() {
  const int count =
      epoll_wait(descriptor_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
  return {events_.data(), static_cast<std::size_t>(count > 0 ? count : 0)};
}

asio::awaitable<void> Poller::wait() {
  boost::system::error_code ignored;
  co_await descriptor_.async_wait(
      Descriptor::wait_read,
      asio::bind_executor(descriptor_.get_executor(),
                          asio::redirect_error(asio::use_awaitable, ignored)));
}

void Poller::stop() {
  boost::system::error_code ignored;
  descriptor_.cancel(ignored);
}

}  // namespace vesper
