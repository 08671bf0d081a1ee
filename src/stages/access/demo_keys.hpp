#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "stages/access/key_ring.hpp"

namespace vesper::access {

inline constexpr std::string_view demonstration_issuer = "https://demo.vesper.invalid";
inline constexpr std::size_t demonstration_entropy_bytes = 36;

/// A development key, made anew for each demonstration; none is ever in the repository.
struct DemoKeys {
  std::string key_set;  ///< JWK set with one HS256 secret: verifies and mints
  IssuerRules rules;    ///< may grant every scope
};

/// The issuer and key of `vesper serve --demo`; the kid begins with `demo-`, and so is known and
/// refused everywhere else.
[[nodiscard]] DemoKeys make_demo_keys(
    std::span<const std::uint8_t, demonstration_entropy_bytes> entropy);

/// The rules alone, for a key set that was kept from an earlier demonstration.
[[nodiscard]] IssuerRules demonstration_rules();

/// Demonstration keys and their issuer are good only in a demonstration.
[[nodiscard]] inline bool admissible(const KeySet& keys, bool in_demonstration) {
  return in_demonstration || !keys.demonstration;
}

}  // namespace vesper::access
