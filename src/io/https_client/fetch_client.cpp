#include "io/https_client/fetch_client.hpp"

#include <boost/asio/this_coro.hpp>

#include "io/https_client/connection.hpp"
#include "io/https_client/deadline_sweep.hpp"

namespace vesper {
namespace {

constexpr std::size_t body_max = 1024 * 1024;

FetchFault fault_of(WireFault fault) {
  switch (fault) {
    case WireFault::none:
    case WireFault::cut:
      return FetchFault::cut;
    case WireFault::refused:
      return FetchFault::refused;
    case WireFault::timed_out:
      return FetchFault::timed_out;
    case WireFault::not_http:
      return FetchFault::not_http;
    case WireFault::tls:
      return FetchFault::tls;
  }
  return FetchFault::cut;
}

bool is_line_safe(std::string_view text) {
  return text.find_first_of(std::string_view{"\r\n\0", 3}) == text.npos;
}

std::string head_of(const HttpFetch::Request& request, const Url& url) {
  std::string head{request.method};
  head.append(" ").append(url.target).append(" HTTP/1.1\r\nHost: ").append(url.authority());
  head.append("\r\nUser-Agent: vesper\r\nConnection: close\r\n");
  if (!request.content_type.empty())
    head.append("Content-Type: ").append(request.content_type).append("\r\n");
  if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD"))
    head.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  if (!request.authorization.empty())
    head.append("Authorization: ").append(request.authorization).append("\r\n");
  return head.append(request.headers).append("\r\n");
}

}  // namespace

asio::awaitable<std::expected<FetchReply, FetchFault>> FetchClient::fetch(const Request& request,
                                                                          Deadline deadline) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto url = parse_url(request.url);
  if (!url || !is_line_safe(request.method) || !is_line_safe(request.content_type) ||
      !is_line_safe(request.authorization))
    co_return std::unexpected(FetchFault::bad_url);
  TlsSource::Context context;
  if (url->tls) {
    auto loaded = TlsSource{files_}.get(clock_.now());
    if (!loaded) co_return std::unexpected(FetchFault::tls);
    context = std::move(*loaded);
  }
  auto addresses = co_await resolve(*url, deadline, clock_);
  if (!addresses) co_return std::unexpected(fault_of(addresses.error()));

  const auto executor = co_await asio::this_coro::executor;
  ClientConnection connection{executor};
  DeadlineSweep sweep{executor, clock_};
  const KeptDeadline kept{sweep, deadline.at, connection};
  WireFault fault = co_await connection.connect(*url, std::move(*addresses), std::move(context));
  if (fault != WireFault::none) co_return std::unexpected(fault_of(fault));
  ResponseParser parser{body_max, body_max};
  const std::string head = head_of(request, *url);
  fault = co_await connection.exchange(head, request.body, parser);
  if (fault != WireFault::none) co_return std::unexpected(fault_of(fault));
  if (parser.cut_short()) co_return std::unexpected(FetchFault::too_large);
  FetchReply reply;
  reply.status = static_cast<std::uint16_t>(parser.status());
  reply.body = parser.body();
  reply.content_type = parser.header("content-type");
  reply.cache_control = parser.header("cache-control");
  reply.etag = parser.header("etag");
  co_return reply;
}

}  // namespace vesper
