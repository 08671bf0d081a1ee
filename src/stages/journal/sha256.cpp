// The block-level calls are deprecated in favour of EVP, whose set-up costs 0.3 to 0.5 us a digest.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "stages/journal/sha256.hpp"

namespace vesper {

Sha256::Sha256() {
  SHA256_Init(&state_);
}

Sha256& Sha256::update(std::string_view bytes) {
  SHA256_Update(&state_, bytes.data(), bytes.size());
  return *this;
}

Sha256& Sha256::update(std::span<const std::uint8_t> bytes) {
  SHA256_Update(&state_, bytes.data(), bytes.size());
  return *this;
}

Hash Sha256::finish() {
  Hash out;
  SHA256_Final(out.data(), &state_);
  return out;
}

Hash content_hash(std::string_view bytes) {
  return Sha256().update(bytes).finish();
}

}  // namespace vesper
