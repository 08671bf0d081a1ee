#pragma once
#include <cstdint>

namespace vesper {

/// How an exchange with a server ended: `none` is well.
enum class WireFault : std::uint8_t { none, refused, timed_out, cut, not_http, tls };

}  // namespace vesper
