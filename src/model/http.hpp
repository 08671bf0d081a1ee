#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace vesper {

enum class Method : std::uint8_t { get, head, post, put, del, options, other };

struct Header {
  std::string_view name;   ///< as sent; compare without case
  std::string_view value;  ///< without leading and trailing blanks
};

/// A request's head, parsed and framed. Views into the connection's buffer, valid until it is
/// answered.
///   Bounds: at most 64 headers; the head at most 16 KiB by default.
struct RequestHead {
  Method method = Method::get;
  std::string_view method_name;
  std::string_view path;   ///< of the target, still percent-encoded, never empty
  std::string_view query;  ///< after `?`, empty when there is none
  std::span<const Header> headers;
  std::uint64_t content_length = 0;
  bool has_content_length = false;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
  std::uint8_t minor_version = 1;  ///< HTTP/1.x

  /// The one value of a header; nullptr when it is absent. `count` receives how often it occurs.
  [[nodiscard]] const Header* find(std::string_view lower_case_name,
                                   std::size_t* count = nullptr) const;
};

/// One answer. Buffers are reused from request to request on a connection's shard.
struct Reply {
  std::uint16_t status = 500;
  std::string_view content_type;  ///< static text; empty: no body
  std::string headers;            ///< further lines, each ended by CRLF: names and values are ours
  std::string body;
  bool close = false;

  void reset() {
    status = 500;
    content_type = {};
    headers.clear();
    body.clear();
    close = false;
  }
  void add_header(std::string_view name, std::string_view value) {
    headers.append(name).append(": ").append(value).append("\r\n");
  }
};

}  // namespace vesper
