#include "tokens.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>

#include "base/encoding.hpp"

namespace vesper::sim {
namespace {

constexpr std::string_view secret = "a secret of thirty-two bytes or so";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string unsigned_token(const Claims& claims, std::string_view algorithm, std::string_view kid) {
  const std::string head = fmt::format(R"({{"alg":"{}","kid":"{}"}})", algorithm, kid);
  const std::string body = fmt::format(
      R"({{"iss":"{}","aud":"vesper","sub":"{}","trial":"{}","scope":"{}","exp":4102444800}})",
      claims.issuer, claims.subject, claims.trial, claims.scope);
  return encode_base64url(head) + "." + encode_base64url(body);
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

Key key_of(std::string_view kid) {
  std::string seed{kid};
  seed.resize(32, '.');
  return Key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(seed), seed.size())};
}

}  // namespace

std::string shared_key_set() {
  return R"({"keys":[{"kty":"oct","kid":"sim","alg":"HS256","k":")" + encode_base64url(secret) +
         R"("}]})";
}

std::string shared_token(const Claims& claims) {
  const std::string token = unsigned_token(claims, "HS256", "sim");
  unsigned char mac[32];
  unsigned size = sizeof mac;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(token), token.size(),
       mac, &size);
  return token + "." + encode_base64url({reinterpret_cast<const char*>(mac), size});
}

std::string signed_token(const Claims& claims, std::string_view kid) {
  const std::string token = unsigned_token(claims, "EdDSA", kid);
  const Key key = key_of(kid);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free};
  std::string signature(64, '\0');
  std::size_t size = signature.size();
  EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get());
  EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                 bytes_of(token), token.size());
  return token + "." + encode_base64url(signature);
}

std::string forged_token(const Claims& claims, std::string_view kid) {
  return unsigned_token(claims, "EdDSA", kid) + "." + encode_base64url(std::string(64, 'f'));
}

std::string public_key_set(std::initializer_list<std::string_view> kids) {
  std::string set;
  for (const auto kid : kids) {
    std::string x(32, '\0');
    std::size_t size = x.size();
    EVP_PKEY_get_raw_public_key(key_of(kid).get(), reinterpret_cast<unsigned char*>(x.data()),
                                &size);
    set += fmt::format(R"({}{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"{}","x":"{}"}})",
                       set.empty() ? "" : ",", kid, encode_base64url(x));
  }
  return R"({"keys":[)" + set + "]}";
}

}  // namespace vesper::sim
