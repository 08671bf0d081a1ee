#pragma once
#include <sys/epoll.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstdint>
#include <span>

#include "base/time.hpp"

namespace vesper {

namespace asio = boost::asio;

/// Something whose file descriptor is watched by a Poller.
class Pollable {
 public:
  virtual ~Pollable() = default;
  /// `events` as epoll gives them, edge-triggered.
  virtual void on_events(std::uint32_t events, Instant now) = 0;
};

/// Says which of many sockets can be read or written, with an epoll instance of its own inside the
/// shard's io_context.
///   Shape:  harvest() gives everything that became ready since; when that is nothing, wait().
///   Bounds: at most `batch` at a time; the rest comes with the next harvest.
///   Errors: add() is false when the system has no room for another.
///   Thread: the shard's.
///   Why:    Asio starts each operation by itself, so nobody knows how many wait. Here the whole
///           queue stands in user space, where it can be measured, ordered and refused, and a
///           socket costs no system call between two requests but reading and writing.
class Poller {
 public:
  static constexpr std::size_t batch = 512;

  explicit Poller(asio::io_context& context);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  [[nodiscard]] bool add(int fd, Pollable& what);
  [[nodiscard]] std::span<const epoll_event> harvest();
  /// Until harvest() has something to give, or stop().
  asio::awaitable<void> wait();
  void stop();

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
  Descriptor descriptor_;
  std::array<epoll_event, batch> events_{};
};

}  // namespace vesper
