#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace vesper {

/// SHA-1 for name-based UUIDs, and for nothing else: signatures and content hashes use SHA-256.
///   Why: a bundle needs some fifteen UUIDv5 a diary; each is one or two blocks, so a library's
///   set-up costs more than the hash.
///   Source: FIPS 180-4.
class Sha1 {
 public:
  void update(const void* data, std::size_t size);
  [[nodiscard]] std::array<std::uint8_t, 20> finish();

 private:
  void block(const std::uint8_t* p);
  std::array<std::uint32_t, 5> h_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::array<std::uint8_t, 64> buffer_{};
  std::uint64_t total_ = 0;
};

}  // namespace vesper
