#include "io/https_client/connection.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <tuple>

namespace vesper {
namespace {

using asio::ip::tcp;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace

void ClientConnection::expire() {
  expired_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

int ClientConnection::release() {
  boost::system::error_code failed;
  socket_.non_blocking(true, failed);
  return failed ? -1 : socket_.release(failed);
}

WireFault ClientConnection::fault_of(boost::system::error_code error) const {
  if (expired_) return WireFault::timed_out;
  if (error.category() == asio::error::get_ssl_category()) return WireFault::tls;
  return WireFault::cut;
}

asio::awaitable<WireFault> ClientConnection::connect(const Url& url,
                                                     std::vector<tcp::endpoint> addresses,
                                                     TlsSource::Context tls) {
  context_ = std::move(tls);
  boost::system::error_code failed = asio::error::host_not_found;
  for (const auto& address : addresses) {
    boost::system::error_code ignored;
    socket_.close(ignored);
    std::tie(failed) = co_await socket_.async_connect(address, as_result);
    if (!failed || expired_) break;
  }
  if (failed || expired_) co_return expired_ ? WireFault::timed_out : WireFault::refused;
  socket_.set_option(tcp::no_delay{true}, failed);
  if (!context_) co_return WireFault::none;
  co_return co_await shake_hands(url);
}

asio::awaitable<WireFault> ClientConnection::shake_hands(const Url& url) {
  tls_.emplace(socket_, *context_);
  boost::system::error_code failed;
  tls_->set_verify_callback(asio::ssl::host_name_verification(url.host), failed);
  if (!failed && !url.literal() &&
      SSL_set_tlsext_host_name(tls_->native_handle(), url.host.c_str()) != 1)
    co_return WireFault::tls;
  if (!failed) std::tie(failed) = co_await tls_->async_handshake(TlsStream::client, as_result);
  if (!failed && !expired_) co_return WireFault::none;
  const auto fault = fault_of(failed);
  // A server that hangs up while shaking hands is as good as a failed hand-shake.
  co_return fault == WireFault::cut ? WireFault::tls : fault;
}

template <class Stream>
asio::awaitable<WireFault> ClientConnection::run(Stream& stream, std::string_view request_head,
                                                 std::string_view body, ResponseParser& parser) {
  boost::system::error_code write_error;
  const std::array<asio::const_buffer, 2> all{asio::buffer(request_head), asio::buffer(body)};
  std::tie(write_error, std::ignore) = co_await asio::async_write(stream, all, as_result);
  if (expired_) co_return WireFault::timed_out;
  buffer_.resize(8192);
  for (;;) {
    // Also after a failed write: the server may have refused early, and have said why.
    auto [error, size] = co_await stream.async_read_some(asio::buffer(buffer_), as_result);
    if (expired_) co_return WireFault::timed_out;
    const bool started = parser.started();
    if (error == asio::error::eof && parser.end() == ResponseParser::Progress::done)
      co_return WireFault::none;
    if (error) {
      stale_ = used_ && !started;
      co_return fault_of(write_error && !started ? write_error : error);
    }
    std::string_view bytes{buffer_.data(), size};
    const auto progress = parser.feed(bytes);
    if (progress == ResponseParser::Progress::bad) co_return WireFault::not_http;
    if (progress == ResponseParser::Progress::more) continue;
    reusable_ = parser.keep_alive() && bytes.empty() && !write_error;
    used_ = true;
    co_return WireFault::none;
  }
}

asio::awaitable<WireFault> ClientConnection::exchange(std::string_view request_head,
                                                      std::string_view body,
                                                      ResponseParser& parser) {
  reusable_ = stale_ = false;
  if (tls_) return run(*tls_, request_head, body, parser);
  return run(socket_, request_head, body, parser);
}

asio::awaitable<std::expected<std::vector<tcp::endpoint>, WireFault>> resolve(const Url& url,
                                                                              Deadline deadline,
                                                                              Clock& clock) {
  boost::system::error_code failed;
  if (const auto address = asio::ip::make_address(url.host, failed); !failed)
    co_return std::vector{tcp::endpoint{address, url.port}};
  // getaddrinfo cannot be interrupted: whoever waits must be able to leave it behind.
  struct Search {
    explicit Search(asio::any_io_executor executor) : resolver(executor), done(executor) {}
    tcp::resolver resolver;
    asio::steady_timer done;
    bool finished = false;
    std::vector<tcp::endpoint> found;
  };
  const auto executor = co_await asio::this_coro::executor;
  auto search = std::make_shared<Search>(executor);
  search->done.expires_after(deadline.remaining(clock.now()));
  search->resolver.async_resolve(
      url.host, std::to_string(url.port), tcp::resolver::numeric_service,
      [search](boost::system::error_code, const tcp::resolver::results_type& results) {
        for (const auto& result : results) search->found.push_back(result.endpoint());
        search->finished = true;
        search->done.cancel();
      });
  co_await search->done.async_wait(as_result);
  if (!search->finished) co_return std::unexpected(WireFault::timed_out);
  if (search->found.empty()) co_return std::unexpected(WireFault::refused);
  co_return std::move(search->found);
}

}  // namespace vesper
