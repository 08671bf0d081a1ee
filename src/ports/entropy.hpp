#pragma once
#include <cstdint>
#include <span>

namespace vesper {

/// The only source of randomness: the operating system's in io/, seeded in sim.
///   Thread: any.
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;
  [[nodiscard]] std::uint64_t next() {
    std::uint64_t value = 0;
    fill({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    return value;
  }
};

}  // namespace vesper
