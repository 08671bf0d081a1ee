#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vesper::surge {

/// What a client reads off an answer.
struct Reply {
  int status = 0;
  std::size_t bytes = 0;  ///< head and body
  std::optional<std::uint32_t> retry_after_s{};
  bool closing = false;  ///< the server closes the connection after it
};

enum class ReadState : std::uint8_t { complete, incomplete, not_http };

/// Reads the first answer in `bytes`; `reply` is set when complete.
///   Bounds: a head of 16 KiB, a body of 16 MiB; beyond them it is not HTTP to us.
///   Source: RFC 9112, as far as a server that always states Content-Length goes.
[[nodiscard]] ReadState read_reply(std::string_view bytes, Reply& reply);

}  // namespace vesper::surge
