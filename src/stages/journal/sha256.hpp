#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include <openssl/sha.h>

#include "model/journal.hpp"

namespace vesper {

/// SHA-256 piece by piece, on the stack.
///   Thread: one owner.
///   Why:    OpenSSL 3's one-shot functions look their algorithm up on each call, which costs more
///           than hashing a diary; the block functions below it do not.
///   Source: FIPS 180-4.
class Sha256 {
 public:
  Sha256();
  Sha256& update(std::string_view bytes);
  Sha256& update(std::span<const std::uint8_t> bytes);
  [[nodiscard]] Hash finish();

 private:
  SHA256_CTX state_;
};

/// The digest a receipt states: over the bytes as sent.
[[nodiscard]] Hash content_hash(std::string_view bytes);

}  // namespace vesper
