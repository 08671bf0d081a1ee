#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

namespace vesper::access {

using Sha256Digest = std::array<unsigned char, 32>;

/// An HMAC-SHA-256 key whose two padded blocks are hashed once, when the key is made.
///   Thread: any; immutable.
///   Source: RFC 2104; FIPS 198-1.
///   Why: a fresh HMAC() costs four times as much as resuming from the two midstates.
class HmacKey {
 public:
  explicit HmacKey(std::string_view secret);
  ~HmacKey();
  HmacKey(HmacKey&&) noexcept;
  HmacKey& operator=(HmacKey&&) noexcept;

  [[nodiscard]] Sha256Digest sign(std::string_view message) const;
  /// Compares in constant time; a tag of any other length than 32 is wrong.
  [[nodiscard]] bool verify(std::string_view message, std::string_view tag) const;

 private:
  struct Midstates;
  std::unique_ptr<Midstates> midstates_;
};

}  // namespace vesper::access
