#pragma once
#include <string>
#include <string_view>

namespace vesper::sim {

/// Who a simulated token speaks for.
struct Claims {
  std::string_view issuer, subject, trial = "EVENING-01", scope = "patient";
};

/// HS256 under the one secret of `shared_key_set()`.
[[nodiscard]] std::string shared_token(const Claims& claims);
[[nodiscard]] std::string shared_key_set();

/// Ed25519 under a key that `kid` alone decides, so that equal seeds give equal bytes.
[[nodiscard]] std::string signed_token(const Claims& claims, std::string_view kid);
/// The same claims and kid, under 64 bytes that are no signature.
[[nodiscard]] std::string forged_token(const Claims& claims, std::string_view kid);
/// A JWK set of the public keys of these kids.
[[nodiscard]] std::string public_key_set(std::initializer_list<std::string_view> kids);

}  // namespace vesper::sim
