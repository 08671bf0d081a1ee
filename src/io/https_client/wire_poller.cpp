#include "io/https_client/wire_poller.hpp"

#include "base/ensure.hpp"

namespace vesper {

WirePoller::WirePoller(const asio::any_io_executor& executor) : descriptor_(executor) {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  ensure(fd >= 0);
  descriptor_.assign(fd);
}

bool WirePoller::add(int fd, Watched& what) {
  epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = &what}};
  if (stopped_ || epoll_ctl(descriptor_.native_handle(), EPOLL_CTL_ADD, fd, &event) != 0)
    return false;
  watched_.push_back(&what);
  wait();
  return true;
}

// Its event may have been found already.
void WirePoller::forget(const Watched& what) {
  for (std::size_t i = next_; i < count_; ++i)
    if (events_[i].data.ptr == &what) events_[i].data.ptr = nullptr;
  std::erase(watched_, &what);
  // While nobody is watched the loop has no work here, and may end.
  boost::system::error_code ignored;
  if (watched_.empty() && !stopped_) descriptor_.cancel(ignored);
}

void WirePoller::stop() {
  stopped_ = true;
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  for (Watched* what : watched_) what->on_stop();
}

void WirePoller::wait() {
  if (waiting_ || watched_.empty() || stopped_) return;
  waiting_ = true;
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](boost::system::error_code) {
                           self->waiting_ = false;
                           if (!self->stopped_) self->harvest();
                         });
}

void WirePoller::harvest() {
  do {
    const int found = epoll_wait(descriptor_.native_handle(), events_.data(), batch, 0);
    count_ = static_cast<std::size_t>(found > 0 ? found : 0);
    for (next_ = 0; next_ < count_ && !stopped_;) {
      const epoll_event event = events_[next_++];
      if (event.data.ptr != nullptr) static_cast<Watched*>(event.data.ptr)->on_events(event.events);
    }
  } while (count_ == batch && !stopped_);
  wait();
}

}  // namespace vesper
