#include "io/http/plain_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <utility>

namespace vesper {
namespace {

boost::system::error_code last_error() {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return asio::error::would_block;
  return {errno, boost::system::system_category()};
}

}  // namespace

std::size_t PlainSocket::receive(asio::mutable_buffer room, boost::system::error_code& error) {
  const ssize_t bytes = ::recv(fd_, room.data(), room.size(), 0);
  error = {};
  if (bytes > 0) return static_cast<std::size_t>(bytes);
  error = bytes == 0 ? boost::system::error_code{asio::error::eof} : last_error();
  return 0;
}

std::size_t PlainSocket::send(std::string_view first, std::string_view second,
                              boost::system::error_code& error) {
  ssize_t bytes = 0;
  if (second.empty()) {
    bytes = ::send(fd_, first.data(), first.size(), MSG_NOSIGNAL);
  } else {
    // sendmsg() takes what it does not change as char*.
    iovec parts[]{{const_cast<char*>(first.data()), first.size()},
                  {const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    bytes = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
  }
  error = {};
  if (bytes >= 0) return static_cast<std::size_t>(bytes);
  error = last_error();
  return 0;
}

void PlainSocket::shut_down_send() {
  ::shutdown(fd_, SHUT_WR);
}

void PlainSocket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Duration PlainSocket::since_last_bytes() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  // It counts in ticks: what may be a rounding is not counted.
  constexpr std::uint32_t tick_ms = 10;
  return std::chrono::milliseconds{info.tcpi_last_data_recv -
                                   std::min(info.tcpi_last_data_recv, tick_ms)};
}

}  // namespace vesper
