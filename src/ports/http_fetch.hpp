#pragma once
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace vesper {

namespace asio = boost::asio;

struct FetchReply {
  std::uint16_t status = 0;
  std::string body;                               ///< at most 1 MiB
  std::string content_type, cache_control, etag;  ///< header values, empty when absent
};
enum class FetchFault : std::uint8_t { refused, timed_out, cut, not_http, tls, too_large, bad_url };

/// One outgoing GET or POST that is not a delivery: JWKS documents, OAuth2 tokens, the admin API of
/// a running server.
///   Thread: the awaiting executor. Completes by `deadline`; never throws; follows no redirect.
class HttpFetch {
 public:
  struct Request {
    std::string_view method = "GET";
    std::string_view url;           ///< http:// or https://
    std::string_view content_type;  ///< of the body, empty: no body
    std::string_view body;
    std::string_view authorization;  ///< header value, empty: none
    std::string_view headers;        ///< further lines, each ended by CRLF
  };
  virtual ~HttpFetch() = default;
  virtual asio::awaitable<std::expected<FetchReply, FetchFault>> fetch(const Request& request,
                                                                       Deadline deadline) = 0;
};

}  // namespace vesper
