#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "stages/access/key_fault.hpp"
#include "stages/access/verify_key.hpp"

namespace vesper::access {

enum class SigningFault : std::uint8_t {
  not_a_key_set,  ///< not JSON, or no JWK
  no_such_kid,
  ambiguous,    ///< several keys can sign: a kid must be named
  not_signing,  ///< weak, foreign, without its private half, or not for signing
  not_a_pem     ///< not an unencrypted PEM private key of RSA, P-256 or Ed25519
};
[[nodiscard]] std::string_view text_of(SigningFault fault);

/// A key that makes development tokens. The server itself never holds one but in --demo.
class SigningKey {
 public:
  /// One JWK, or the key of a set that `kid` names; without `kid` the only one that can sign.
  [[nodiscard]] static std::expected<SigningKey, SigningFault> from_jwk(
      std::string_view text, std::optional<std::string_view> kid = {});
  [[nodiscard]] static std::expected<SigningKey, SigningFault> from_pem(std::string_view text,
                                                                        std::string_view kid);

  [[nodiscard]] const std::string& kid() const { return kid_; }
  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  /// The raw signature, as a JWS carries it.
  [[nodiscard]] std::string sign(std::string_view signing_input) const;

  /// A compact JWS with `typ` JWT over any payload.
  [[nodiscard]] std::string token(std::string_view payload) const;

 private:
  SigningKey(std::string kid, Algorithm algorithm) : kid_(std::move(kid)), algorithm_(algorithm) {}
  std::string kid_;
  Algorithm algorithm_;
  std::optional<HmacKey> secret_;
  EvpKey private_;
};

}  // namespace vesper::access
