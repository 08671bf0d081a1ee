#pragma once
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/journal.hpp"

namespace vesper {

namespace asio = boost::asio;

struct UpstreamRequest {
  std::string_view destination;  ///< a name under [upstream.NAME]
  Uuid delivery_id;
  Hash content_hash{};
  std::string_view bundle;  ///< the transaction Bundle, JSON
  std::string_view traceparent;
};

/// What came back. `status` 0: no answer (refused, time-out, cut, not HTTP): `trouble` says which.
struct UpstreamReply {
  enum class Trouble : std::uint8_t {
    none,
    refused,
    timed_out,
    cut,
    not_http,
    tls,
    credentials,
    too_large
  };
  std::uint16_t status = 0;
  Trouble trouble = Trouble::none;
  std::string body;                                         ///< at most 64 KiB
  std::string content_type, idempotency_key, content_hash;  ///< reply headers, empty when absent
  std::string retry_after;                                  ///< header as sent
  std::string evidence_headers;  ///< selected reply headers, at most 1 KiB
  Hash body_digest{};            ///< SHA-256 of the reply body, also of what exceeds `body`
};

/// One try of one delivery over real HTTP, or simulated.
///   Thread: the delivery thread. Always completes by `deadline`; never throws.
class Upstream {
 public:
  virtual ~Upstream() = default;
  virtual asio::awaitable<UpstreamReply> post(const UpstreamRequest& request,
                                              Deadline deadline) = 0;
};

}  // namespace vesper
