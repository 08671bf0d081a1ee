#pragma once
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"
#include "stages/admission/read_line.hpp"

namespace vesper {

/// How large a request's head may be.
struct HeadLimits {
  std::size_t line_bytes_max = 8 * 1024;   ///< bytes of the request line; past it 414
  std::size_t head_bytes_max = 16 * 1024;  ///< bytes of line and headers together; past it 431
  std::size_t headers_max = 64;            ///< header lines, at most header_room; past it 431
};

/// Room for header lines in every request; HeadLimits::headers_max is at most this.
inline constexpr std::size_t header_room = 64;

/// What one listener grants its clients. Each field is one configuration key.
///   Shape: equal on every shard of a listener; the first two bound all its shards together, and
///   are
///          what HttpLoad begins with.
struct HttpLimits {
  std::size_t connections_max = 16'384;                      ///< open connections; past it 503
  std::size_t bytes_in_flight_max = 256ULL * 1024 * 1024;    ///< bytes of buffers; past it 503
  HeadLimits head;                                           ///< 414 and 431
  std::uint64_t body_bytes_max = 1024ULL * 1024;             ///< bytes, unless begin() says; 413
  Duration head_timeout = std::chrono::seconds{10};          ///< first byte to whole head; 408
  Duration idle_timeout = std::chrono::seconds{75};          ///< between requests; then closed
  Duration body_grace = std::chrono::seconds{10};            ///< before the rate counts
  std::uint64_t body_rate_min_bytes_per_s = 500;             ///< slower bodies end with 408
  Duration write_timeout = std::chrono::seconds{20};         ///< without progress; then closed
  Duration handshake_timeout = std::chrono::seconds{10};     ///< TLS; then closed
  Duration linger = std::chrono::milliseconds{500};          ///< after the last answer
  Duration sweep_interval = std::chrono::milliseconds{200};  ///< how exact all time-outs are
  std::uint64_t drain_bytes_max = 64 * 1024;                 ///< of an unwanted body; then closed
  std::size_t buffers_kept_max = 512;                        ///< a shard; free, for the next
  admission::ReadRules reading{};                            ///< who is read, and when
};

}  // namespace vesper
