#pragma once
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/http.hpp"

namespace vesper {

/// `HTTP/1.1 201 Created` with CRLF; an unknown status gets the phrase of its class.
[[nodiscard]] std::string_view status_line(std::uint16_t status);

/// `Date: Mon, 23 Nov 2026 20:14:05 GMT` with CRLF.
[[nodiscard]] std::string date_line(WallTime now);

/// What the connection adds to an answer.
struct ReplyFrame {
  std::string_view date_line{};
  bool close = false;       ///< says Connection: close
  bool keep_alive = false;  ///< says Connection: keep-alive, for HTTP/1.0
};

/// Appends status line and headers with the empty line, not the body.
///   Shape: every answer has Content-Length but 204 and 304.
void append_reply_head(std::string& out, const Reply& reply, const ReplyFrame& frame);

}  // namespace vesper
