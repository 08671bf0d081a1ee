#include "stages/access/verify_key.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>

#include "base/ensure.hpp"

namespace vesper::access {
namespace {

struct ContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// One DER INTEGER of a 32-byte big-endian number; the number of bytes written.
std::size_t put_integer(std::string_view number, unsigned char* out) {
  std::size_t skip = 0;
  while (skip + 1 < number.size() && number[skip] == 0) ++skip;
  const auto digits = number.substr(skip);
  const bool padded = (static_cast<unsigned char>(digits[0]) & 0x80) != 0;
  std::size_t at = 0;
  out[at++] = 0x02;
  out[at++] = static_cast<unsigned char>(digits.size() + (padded ? 1 : 0));
  if (padded) out[at++] = 0;
  for (char c : digits) out[at++] = static_cast<unsigned char>(c);
  return at;
}

bool verify_evp(EVP_PKEY* key, Algorithm algorithm, std::string_view input,
                std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, ContextFree> context{EVP_MD_CTX_new()};
  ensure(context != nullptr);
  const EVP_MD* digest = algorithm == Algorithm::eddsa ? nullptr : EVP_sha256();
  const bool good = EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
                    EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                                     bytes_of(input), input.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace

void EvpKeyFree::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

VerifyKey::VerifyKey(std::string kid, HmacKey secret)
    : kid_(std::move(kid)), algorithm_(Algorithm::hs256), secret_(std::move(secret)) {}

VerifyKey::VerifyKey(std::string kid, Algorithm algorithm, EvpKey key)
    : kid_(std::move(kid)), algorithm_(algorithm), public_(std::move(key)) {
  ensure(algorithm != Algorithm::hs256 && public_ != nullptr);
}

bool VerifyKey::verify(std::string_view input, std::string_view signature) const {
  switch (algorithm_) {
    case Algorithm::hs256:
      return secret_->verify(input, signature);
    case Algorithm::rs256:
    case Algorithm::eddsa:
      return verify_evp(public_.get(), algorithm_, input, signature);
    case Algorithm::es256: {
      if (signature.size() != 64) return false;
      std::array<unsigned char, 72> der;
      std::size_t size = 2;
      size += put_integer(signature.substr(0, 32), der.data() + size);
      size += put_integer(signature.substr(32), der.data() + size);
      der[0] = 0x30;
      der[1] = static_cast<unsigned char>(size - 2);
      return verify_evp(public_.get(), algorithm_, input,
                        {reinterpret_cast<const char*>(der.data()), size});
    }
  }
  return false;
}

}  // namespace vesper::access
