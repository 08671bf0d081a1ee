#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace vesper::access {

/// The signature algorithms this server knows; there is no way to name another one.
///   Source: RFC 7518, 3.1; RFC 8037 (EdDSA, with Ed25519 alone).
enum class Algorithm : std::uint8_t { hs256, rs256, es256, eddsa };

[[nodiscard]] constexpr std::string_view name_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::hs256:
      return "HS256";
    case Algorithm::rs256:
      return "RS256";
    case Algorithm::es256:
      return "ES256";
    case Algorithm::eddsa:
      return "EdDSA";
  }
  return {};
}

/// The algorithm of exactly that name, case and all.
[[nodiscard]] constexpr std::optional<Algorithm> algorithm_named(std::string_view name) {
  for (auto a : {Algorithm::hs256, Algorithm::rs256, Algorithm::es256, Algorithm::eddsa})
    if (name == name_of(a)) return a;
  return std::nullopt;
}

}  // namespace vesper::access
