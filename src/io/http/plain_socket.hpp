#pragma once
#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <string_view>

#include "base/time.hpp"

namespace vesper {

namespace asio = boost::asio;

/// A connected TCP socket that never blocks, closed at the end.
///   Errors: as Asio names them: would_block, eof, or what the system says.
///   Thread: one at a time.
class PlainSocket {
 public:
  explicit PlainSocket(int fd) : fd_(fd) {}
  ~PlainSocket() { close(); }
  PlainSocket(const PlainSocket&) = delete;
  PlainSocket& operator=(const PlainSocket&) = delete;

  std::size_t receive(asio::mutable_buffer room, boost::system::error_code& error);
  std::size_t send(std::string_view first, std::string_view second,
                   boost::system::error_code& error);
  void shut_down_send();
  void close();
  /// How long ago the last bytes came, to milliseconds; zero when the system does not say.
  [[nodiscard]] Duration since_last_bytes() const;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace vesper
