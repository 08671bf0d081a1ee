#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "io/http/http_limits.hpp"
#include "model/http.hpp"

namespace vesper {

enum class ParseState : std::uint8_t { more, complete, fault };

/// Why a request is refused, in the sender's terms: static text, safe to log.
struct HttpFault {
  std::uint16_t status = 0;
  std::string_view diagnostics;
};

struct ParsedHead {
  ParseState state = ParseState::more;
  std::size_t bytes = 0;  ///< of the head with its empty line, when complete
  HttpFault fault;        ///< when state is fault
};

/// Parses the head of one HTTP/1.x request from the front of `bytes`, strictly.
///   Shape:  pure; the verdict on a prefix is `more` or the verdict on the whole, so how the bytes
///           were cut on their way changes nothing. `head` views `bytes` and `room`.
///   Bounds: looks at no byte past limits.head_bytes_max; no allocation.
///   Errors: 400, 414, 417, 431, 501, 505. One CRLF before the request line is skipped.
///   Source: RFC 9112, RFC 9110; what it refuses beyond them is in docs/decisions.
[[nodiscard]] ParsedHead parse_request_head(std::string_view bytes, std::span<Header> room,
                                            RequestHead& head, const HeadLimits& limits);

}  // namespace vesper
