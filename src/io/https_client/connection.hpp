#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/https_client/deadline_sweep.hpp"
#include "io/https_client/response_parser.hpp"
#include "io/https_client/tls_source.hpp"
#include "io/https_client/url.hpp"
#include "io/https_client/wire_fault.hpp"
#include "ports/clock.hpp"

namespace vesper {

/// One TCP or TLS connection to a server, for one request after the other.
///   Thread: its executor's only. No function throws.
///   Shape: expire() closes it from outside when the deadline passes; every await then ends with
///   timed_out.
class ClientConnection : public Expiring {
 public:
  explicit ClientConnection(const asio::any_io_executor& executor) : socket_(executor) {}

  /// Connects to the first of `addresses` that answers; with `tls`, shakes hands, the server's name
  /// sent (SNI) and its certificate verified for it. The addresses are its own: a pool renews its
  /// list while others still go through it.
  asio::awaitable<WireFault> connect(const Url& url, std::vector<asio::ip::tcp::endpoint> addresses,
                                     TlsSource::Context tls);
  /// Sends one request and reads one response into `parser`.
  /// `head` and `body` outlive the await.
  asio::awaitable<WireFault> exchange(std::string_view head, std::string_view body,
                                      ResponseParser& parser);
  void expire() override;
  /// The descriptor of a plain connection, which does not block; nothing is left here.
  [[nodiscard]] int release();

  /// The server had closed it while it was idle: nothing of the request was answered.
  [[nodiscard]] bool was_stale() const { return stale_; }
  [[nodiscard]] bool reusable() const { return reusable_; }

 private:
  using TlsStream = asio::ssl::stream<asio::ip::tcp::socket&>;
  asio::awaitable<WireFault> shake_hands(const Url& url);
  template <class Stream>
  asio::awaitable<WireFault> run(Stream& stream, std::string_view head, std::string_view body,
                                 ResponseParser& parser);
  [[nodiscard]] WireFault fault_of(boost::system::error_code error) const;

  asio::ip::tcp::socket socket_;
  TlsSource::Context context_;
  std::optional<TlsStream> tls_;
  std::vector<char> buffer_;
  bool expired_ = false, used_ = false, stale_ = false, reusable_ = false;
};

/// Addresses of a name, by `deadline` even when the resolver hangs.
///   Errors: refused (no such name), timed_out.
asio::awaitable<std::expected<std::vector<asio::ip::tcp::endpoint>, WireFault>> resolve(
    const Url& url, Deadline deadline, Clock& clock);

}  // namespace vesper
