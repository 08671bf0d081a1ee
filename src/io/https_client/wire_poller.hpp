#pragma once
#include <sys/epoll.h>

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <memory>
#include <vector>

namespace vesper {

namespace asio = boost::asio;

/// Says which plain connections can be read or written, with an epoll instance of its own inside
/// the executor's loop.
///   Shape:  events are edge-triggered and handed on where they are found, many at a time. Shared
///           by whoever made it and by those it watches.
///   Bounds: `batch` events a system call.
///   Errors: add() is false when the system has no room for another.
///   Thread: its executor's only.
///   Why:    a reply that Asio waits for costs a read that finds nothing, an operation object and
///           two locks; here it costs its share of one epoll_wait().
class WirePoller : public std::enable_shared_from_this<WirePoller> {
 public:
  class Watched {
   public:
    virtual void on_events(std::uint32_t events) = 0;
    virtual void on_stop() = 0;

   protected:
    ~Watched() = default;
  };

  explicit WirePoller(const asio::any_io_executor& executor);
  WirePoller(const WirePoller&) = delete;
  WirePoller& operator=(const WirePoller&) = delete;

  [[nodiscard]] bool add(int fd, Watched& what);
  /// Before its descriptor is closed.
  void forget(const Watched& what);
  /// Hands on nothing more, and tells all that are watched.
  void stop();
  [[nodiscard]] asio::any_io_executor executor() { return descriptor_.get_executor(); }

 private:
  static constexpr std::size_t batch = 256;
  void wait();
  void harvest();

  asio::posix::stream_descriptor descriptor_;
  std::array<epoll_event, batch> events_{};
  std::size_t next_ = 0, count_ = 0;  ///< of the events that are being handed on
  std::vector<Watched*> watched_;
  bool waiting_ = false, stopped_ = false;
};

}  // namespace vesper
