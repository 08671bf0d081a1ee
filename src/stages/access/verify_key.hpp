#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "stages/access/algorithm.hpp"
#include "stages/access/hmac_key.hpp"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace vesper::access {

struct EvpKeyFree {
  void operator()(evp_pkey_st* key) const;
};
using EvpKey = std::unique_ptr<evp_pkey_st, EvpKeyFree>;

/// One key that checks signatures, bound to one algorithm for good.
///   Thread: any; immutable.
class VerifyKey {
 public:
  VerifyKey(std::string kid, HmacKey secret);
  /// `key` is an RSA, P-256 or Ed25519 public key, as `algorithm` needs.
  VerifyKey(std::string kid, Algorithm algorithm, EvpKey key);

  [[nodiscard]] const std::string& kid() const { return kid_; }  ///< may be empty: see KeySet
  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  /// `signature` is the raw one of a JWS: for ES256 r and s, 32 bytes each.
  [[nodiscard]] bool verify(std::string_view signing_input, std::string_view signature) const;

 private:
  std::string kid_;
  Algorithm algorithm_;
  std::optional<HmacKey> secret_;
  EvpKey public_;
};

}  // namespace vesper::access
