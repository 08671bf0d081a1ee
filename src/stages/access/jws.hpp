#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/arena.hpp"
#include "stages/access/access_fault.hpp"

namespace vesper::access {

inline constexpr std::size_t token_bytes_max = 8192;

/// The three parts of a compact JWS, still encoded; views into the token.
struct JwsParts {
  std::string_view header, payload, signature;
  std::string_view signing_input;  ///< header, dot and payload
};

/// Splits at exactly two dots. Nothing is decoded.
///   Errors: too_long, malformed. The JSON serialisations are not taken.
[[nodiscard]] std::expected<JwsParts, AccessFault> split_compact(std::string_view token);

/// What a protected header says, as far as it may be listened to.
///   Shape: jwk, jku, x5u, x5c and the rest are not read: a header never brings keys or addresses.
struct JwsHeader {
  std::string algorithm;           ///< as named, perhaps none of ours
  std::optional<std::string> kid;  ///< plain text
  bool is_jwt = true;              ///< typ is absent, JWT or at+jwt
};

/// Reads a protected header.
///   Errors: malformed; unsupported for any `crit`, and for `b64` other than true.
///   Source: RFC 7515, 4.1; RFC 7797, 6; RFC 8725, 3.11.
[[nodiscard]] std::expected<JwsHeader, AccessFault> parse_header(std::string_view encoded);

}  // namespace vesper::access
