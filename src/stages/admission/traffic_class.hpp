#pragma once
#include <cstdint>

namespace vesper::admission {

/// What a route is worth under overload; the first are refused last. Stated by the route, never by
/// a header of the request.
enum class TrafficClass : std::uint8_t {
  health,      ///< probes and operators: never refused
  submission,  ///< diaries
  read,        ///< look-ups
  bulk         ///< exports
};

}  // namespace vesper::admission
