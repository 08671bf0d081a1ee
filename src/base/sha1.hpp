#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace vesper {

/// SHA-1 for name-based UUIDs, and for nothing else: signatures and content hashes use SHA-256.
///   Why: a bundle needs some fifteen UUIDv5 a diary; each is one or two blocks, so a library's
///   set-up costs more than the hash.
///   Source: FIPS 180-4. Uses the processor's SHA instructions where it has them.
class Sha1 {
 public:
  void update(const void* data, std::size_t size);
  [[nodiscard]] std::array<std::uint8_t, 20> finish();

 private:
  std::array<std::uint32_t, 5> h_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::array<std::uint8_t, 64> buffer_{};
  std::uint64_t total_ = 0;
};

inline constexpr std::size_t sha1_block_bytes = 64;

/// The digest of a message that its caller has already padded to exactly one block.
[[nodiscard]] std::array<std::uint8_t, 20> sha1_of_padded_block(const std::uint8_t* block);

/// The portable and the accelerated compression function, for the test that compares them.
///   Shape: `state` is h0..h4. The accelerated one may be called only where it exists.
using Sha1Compress = void (*)(std::uint32_t* state, const std::uint8_t* block);
void sha1_compress_portable(std::uint32_t* state, const std::uint8_t* block);
[[nodiscard]] Sha1Compress sha1_compress_accelerated();  ///< null: this processor has none

}  // namespace vesper
