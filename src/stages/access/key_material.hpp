#pragma once
#include <expected>
#include <string_view>

#include "base/json.hpp"
#include "stages/access/algorithm.hpp"
#include "stages/access/key_fault.hpp"
#include "stages/access/verify_key.hpp"

namespace vesper::access {

/// Which half of a JWK is wanted: the one that verifies, or the one that signs.
enum class KeyHalf : std::uint8_t { public_half, private_half };

/// The OpenSSL key of one RSA, EC or OKP JWK; `algorithm` is already known to fit its kty and crv.
///   Errors: every weakness that KeyFault names.
///   Source: RFC 7518, 6.2 and 6.3; RFC 8037, 2.
[[nodiscard]] std::expected<EvpKey, KeyFault> key_material(const JsonValue& jwk,
                                                           Algorithm algorithm, KeyHalf half);

/// The secret of an `oct` JWK.
[[nodiscard]] std::expected<std::string, KeyFault> secret_material(const JsonValue& jwk);

}  // namespace vesper::access
