#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <unordered_set>

#include "drill/standin/platform.hpp"
#include "tasks/task_scope.hpp"

namespace vesper::standin {

namespace asio = boost::asio;

/// The stand-in's HTTP port.
///   Shape:  open() -> serving -> close() -> nothing listens, no connection is left -> open()
///   again. Thread: the context's one thread; it must outlive what it serves.
class PlatformServer {
 public:
  PlatformServer(asio::io_context& context, Platform& platform);
  ~PlatformServer() { close(); }
  PlatformServer(const PlatformServer&) = delete;

  /// Listens on `address:port`; port 0 takes a free one.
  ///   Errors: a sentence.
  [[nodiscard]] std::expected<void, std::string> open(const std::string& listen);
  void close();

  [[nodiscard]] asio::ip::tcp::endpoint endpoint() const { return endpoint_; }
  /// Connections open now, and the most there ever were.
  [[nodiscard]] std::size_t connections() const { return sockets_.size(); }
  [[nodiscard]] std::size_t connections_peak() const { return connections_peak_; }

 private:
  using Socket = std::shared_ptr<asio::ip::tcp::socket>;
  asio::awaitable<void> accept(std::shared_ptr<asio::ip::tcp::acceptor> acceptor);
  asio::awaitable<void> serve(Socket socket);
  asio::awaitable<bool> answer_one(const Socket& socket, const Request& request);

  asio::io_context& context_;
  const TaskScope tasks_{"standin"};
  Platform& platform_;
  asio::ip::tcp::endpoint endpoint_;
  std::shared_ptr<asio::ip::tcp::acceptor> acceptor_;
  std::unordered_set<Socket> sockets_;
  std::size_t connections_peak_ = 0;
};

}  // namespace vesper::standin
