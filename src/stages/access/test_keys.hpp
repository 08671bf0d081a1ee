#pragma once
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "stages/access/key_ring.hpp"
#include "stages/access/signing_key.hpp"

namespace vesper::access::testing {

using Json = nlohmann::json;

inline std::string number(EVP_PKEY* key, const char* parameter, int pad = 0) {
  BIGNUM* value = nullptr;
  EVP_PKEY_get_bn_param(key, parameter, &value);
  std::string bytes(static_cast<std::size_t>(std::max(BN_num_bytes(value), pad)), '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()),
               static_cast<int>(bytes.size()));
  BN_clear_free(value);
  return encode_base64url(bytes);
}

inline Json rsa_jwk(std::size_t bits) {
  const EvpKey key{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits)};
  EVP_PKEY* k = key.get();
  return {{"kty", "RSA"},
          {"alg", "RS256"},
          {"n", number(k, OSSL_PKEY_PARAM_RSA_N)},
          {"e", number(k, OSSL_PKEY_PARAM_RSA_E)},
          {"d", number(k, OSSL_PKEY_PARAM_RSA_D)},
          {"p", number(k, OSSL_PKEY_PARAM_RSA_FACTOR1)},
          {"q", number(k, OSSL_PKEY_PARAM_RSA_FACTOR2)},
          {"dp", number(k, OSSL_PKEY_PARAM_RSA_EXPONENT1)},
          {"dq", number(k, OSSL_PKEY_PARAM_RSA_EXPONENT2)},
          {"qi", number(k, OSSL_PKEY_PARAM_RSA_COEFFICIENT1)}};
}

inline Json ec_jwk() {
  const EvpKey key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
  return {{"kty", "EC"},
          {"alg", "ES256"},
          {"crv", "P-256"},
          {"x", number(key.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32)},
          {"y", number(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32)},
          {"d", number(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, 32)}};
}

inline Json ed25519_jwk() {
  const EvpKey key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
  std::string x(32, '\0'), d(32, '\0');
  std::size_t size = 32;
  EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(x.data()), &size);
  EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(d.data()), &size);
  return {{"kty", "OKP"},
          {"alg", "EdDSA"},
          {"crv", "Ed25519"},
          {"x", encode_base64url(x)},
          {"d", encode_base64url(d)}};
}

inline Json secret_jwk(char fill = 'k', std::size_t size = 32) {
  return {{"kty", "oct"}, {"alg", "HS256"}, {"k", encode_base64url(std::string(size, fill))}};
}

/// Made once a run: RSA generation takes a while.
inline const Json& private_jwk(Algorithm algorithm) {
  static const Json rsa = rsa_jwk(2048), ec = ec_jwk(), ed = ed25519_jwk(), oct = secret_jwk();
  switch (algorithm) {
    case Algorithm::hs256:
      return oct;
    case Algorithm::rs256:
      return rsa;
    case Algorithm::es256:
      return ec;
    case Algorithm::eddsa:
      return ed;
  }
  return oct;
}

inline Json with(Json jwk, const char* name, Json value) {
  jwk[name] = std::move(value);
  return jwk;
}
inline Json without(Json jwk, std::initializer_list<const char*> names) {
  for (const char* name : names) jwk.erase(name);
  return jwk;
}
inline Json public_jwk(Algorithm algorithm) {
  return algorithm == Algorithm::hs256
             ? private_jwk(algorithm)
             : without(private_jwk(algorithm), {"d", "p", "q", "dp", "dq", "qi"});
}
inline std::string set_of(std::vector<Json> keys) {
  return Json{{"keys", Json(keys)}}.dump();
}

/// Signs any header and payload with the key of one algorithm, whatever the header says.
inline std::string sign(Algorithm algorithm, const std::string& header,
                        const std::string& payload) {
  const auto key = SigningKey::from_jwk(private_jwk(algorithm).dump());
  std::string token = encode_base64url(header) + "." + encode_base64url(payload);
  return token + "." + encode_base64url(key->sign(token));
}

inline Scopes all_scopes() {
  return {31};
}

}  // namespace vesper::access::testing
