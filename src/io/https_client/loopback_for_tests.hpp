#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vesper {

namespace asio = boost::asio;

/// A server for tests: accepts on a free loopback port and hands each connection to `serve`.
class LoopbackServer {
 public:
  using Socket = asio::ip::tcp::socket;
  using Serve = std::function<asio::awaitable<void>(Socket&, int nth_connection)>;

  LoopbackServer(asio::io_context& context, Serve serve)
      : context_(context),
        acceptor_(context, {asio::ip::make_address("127.0.0.1"), 0}),
        serve_(std::move(serve)) {
    asio::co_spawn(context_, accept(), [](std::exception_ptr) {});
  }
  [[nodiscard]] std::string port() const {
    return std::to_string(acceptor_.local_endpoint().port());
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + port(); }
  [[nodiscard]] int connections() const { return connections_; }
  void close() { acceptor_.close(); }

  /// Reads one request with its Content-Length body; empty when the peer has closed.
  template <class Stream>
  static asio::awaitable<std::string> request(Stream& stream) {
    std::string text;
    auto [failed, head] = co_await asio::async_read_until(
        stream, asio::dynamic_buffer(text), "\r\n\r\n", asio::as_tuple(asio::use_awaitable));
    if (failed) co_return std::string{};
    std::size_t length = 0;
    if (const auto at = text.find("Content-Length: "); at != text.npos)
      length = std::stoul(text.substr(at + 16));
    while (text.size() < head + length) {
      char bytes[4096];
      auto [error, size] =
          co_await stream.async_read_some(asio::buffer(bytes), asio::as_tuple(asio::use_awaitable));
      if (error) co_return std::string{};
      text.append(bytes, size);
    }
    co_return text;
  }
  template <class Stream>
  static asio::awaitable<bool> send(Stream& stream, std::string text) {
    auto [failed, size] =
        co_await asio::async_write(stream, asio::buffer(text), asio::as_tuple(asio::use_awaitable));
    co_return !failed;
  }
  static std::string reply(int status, std::string headers = {}, std::string body = {}) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      auto [failed, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
      if (failed) co_return;
      asio::co_spawn(context_, one(std::move(socket), ++connections_), [](std::exception_ptr) {});
    }
  }
  asio::awaitable<void> one(Socket socket, int nth) { co_await serve_(socket, nth); }

  asio::io_context& context_;
  asio::ip::tcp::acceptor acceptor_;
  Serve serve_;
  int connections_ = 0;
};

/// Runs `work` to its end on `context`.
template <class T>
T run_to_end(asio::io_context& context, asio::awaitable<T> work) {
  std::optional<T> result;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr failed, T value) {
    if (failed) std::rethrow_exception(failed);
    result.emplace(std::move(value));
  });
  context.restart();
  while (!result && context.run_one() > 0) {
  }
  return std::move(result).value();
}

}  // namespace vesper
