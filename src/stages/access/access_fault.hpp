#pragma once
#include <cstdint>
#include <string_view>

namespace vesper::access {

/// Why credentials are not accepted. Nothing here tells which part of a secret was wrong.
enum class AccessFault : std::uint8_t {
  missing,           ///< no Authorization header
  malformed,         ///< not one Bearer token in compact JWS form, or not strict base64url and JSON
  too_long,          ///< above token_bytes_max
  unsupported,       ///< crit, b64, a typ of another kind of token
  unknown_issuer,    ///< iss has no table
  keys_unavailable,  ///< the issuer's keys are not at hand: retryable
  busy,              ///< too many tokens not seen before at once: retryable
  unknown_key,       ///< no such kid: retryable while a refresh is pending or refused
  wrong_algorithm,   ///< alg is not the one the key is bound to
  bad_signature,
  expired,
  not_yet,  ///< nbf or iat in the future
  wrong_audience,
  claim_missing,  ///< iss, aud, sub, exp, or the issuer's subject claim
  claim_invalid   ///< of the wrong type, too long, or with control characters
};

/// The OperationOutcome's words, and the error_description of the challenge: static text of ours.
[[nodiscard]] std::string_view text_of(AccessFault fault);

/// The value of `WWW-Authenticate` for a 401.
///   Source: RFC 6750, 3: a request without credentials is told no error code.
[[nodiscard]] std::string_view challenge_of(AccessFault fault);

/// The value of `WWW-Authenticate` for a 403.
inline constexpr std::string_view forbidden_challenge =
    R"(Bearer realm="vesper", error="insufficient_scope")";

/// True where the answer is 503 with Retry-After by itself. For unknown_key the key keeper knows.
[[nodiscard]] constexpr bool is_retryable(AccessFault fault) {
  return fault == AccessFault::keys_unavailable;
}

}  // namespace vesper::access
