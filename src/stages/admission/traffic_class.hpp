#pragma once
#include <cstdint>

namespace vesper::admission {

/// What a route is worth under pressure: later enumerators are given up before earlier ones; health
/// and admin never are. Stated by the route, never by a header of the request.
enum class TrafficClass : std::uint8_t { health, admin, submissions, reads, exports };

}  // namespace vesper::admission
