#include "sim/world.hpp"

namespace vesper::sim {

// FNV-1a: any difference between two runs of a seed changes every later value.
void World::trace(std::string_view what, std::uint64_t detail) {
  const auto mix = [this](std::uint64_t byte) { trace_ = (trace_ ^ byte) * 0x100000001b3; };
  for (char c : what) mix(static_cast<unsigned char>(c));
  for (int shift = 0; shift < 64; shift += 8) mix(detail >> shift & 0xff);
  const auto time = static_cast<std::uint64_t>(now_.time_since_epoch().count());
  for (int shift = 0; shift < 64; shift += 8) mix(time >> shift & 0xff);
}

}  // namespace vesper::sim
