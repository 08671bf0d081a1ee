// The one-shot SHA256_* calls are deprecated in OpenSSL 3, but nothing else can resume a hash from
// a copied state without an allocation.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "stages/access/hmac_key.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace vesper::access {

struct HmacKey::Midstates {
  SHA256_CTX inner, outer;
};

HmacKey::HmacKey(std::string_view secret) : midstates_(std::make_unique<Midstates>()) {
  std::array<unsigned char, SHA256_CBLOCK> block{};
  if (secret.size() > block.size()) {
    SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), block.data());
  } else {
    for (std::size_t i = 0; i < secret.size(); ++i)
      block[i] = static_cast<unsigned char>(secret[i]);
  }
  for (auto& byte : block) byte ^= 0x36;
  SHA256_Init(&midstates_->inner);
  SHA256_Update(&midstates_->inner, block.data(), block.size());
  for (auto& byte : block) byte ^= 0x36 ^ 0x5c;
  SHA256_Init(&midstates_->outer);
  SHA256_Update(&midstates_->outer, block.data(), block.size());
  OPENSSL_cleanse(block.data(), block.size());
}

HmacKey::~HmacKey() {
  if (midstates_) OPENSSL_cleanse(midstates_.get(), sizeof(Midstates));
}
HmacKey::HmacKey(HmacKey&&) noexcept = default;
HmacKey& HmacKey::operator=(HmacKey&&) noexcept = default;

Sha256Digest HmacKey::sign(std::string_view message) const {
  Sha256Digest digest;
  SHA256_CTX context = midstates_->inner;
  SHA256_Update(&context, message.data(), message.size());
  SHA256_Final(digest.data(), &context);
  context = midstates_->outer;
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

bool HmacKey::verify(std::string_view message, std::string_view tag) const {
  const Sha256Digest expected = sign(message);
  return tag.size() == expected.size() &&
         CRYPTO_memcmp(tag.data(), expected.data(), expected.size()) == 0;
}

}  // namespace vesper::access
