#pragma once
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "stages/access/key_fault.hpp"
#include "stages/access/verify_key.hpp"

namespace vesper::access {

/// `algorithms` of an issuer's table: what a key that states no alg is for.
struct BoundAlgorithm {
  std::string kid;
  Algorithm algorithm;
};

/// The keys of one issuer that passed every check.
///   Shape: at least one key; kids are unique; only a set's single key may have no kid.
///   Thread: any; immutable.
struct KeySet {
  std::vector<VerifyKey> keys;
  std::vector<RefusedKey> refused;
  bool demonstration = false;  ///< has a key made for --demo
  bool has_private = false;    ///< names private members of asymmetric keys; they are not used

  /// Exact lookup; nullptr when there is no such key.
  [[nodiscard]] const VerifyKey* find(std::string_view kid) const;
  /// The key for a token without a kid: only where there is no choice.
  [[nodiscard]] const VerifyKey* only() const { return keys.size() == 1 ? &keys[0] : nullptr; }
};

inline constexpr std::string_view demonstration_prefix = "demo-";

/// Reads a JWK set, or one JWK alone, for checking signatures.
///   Bounds: 256 KiB, 64 keys.
///   Errors: the set is refused whole for what KeySetFault names; a weak or foreign key is left out
///   and listed in `refused`.
///   Source: RFC 7517; RFC 7518, 6; RFC 8037, 2; RFC 8725, 3.
[[nodiscard]] std::expected<KeySet, KeySetRefusal> parse_key_set(
    std::string_view text, std::span<const BoundAlgorithm> table = {});

/// The algorithm that one JWK is for: its own alg, or the table's word for its kid.
[[nodiscard]] std::expected<Algorithm, KeyFault> bound_algorithm(
    const JsonValue& jwk, std::string_view kid, std::span<const BoundAlgorithm> table);

/// Whether `use` and `key_ops` permit an operation, `verify` or `sign`.
[[nodiscard]] std::expected<void, KeyFault> permitted(const JsonValue& jwk,
                                                      std::string_view operation);

/// The JWKs of a text: the members of `keys`, or the text itself when it is one JWK.
[[nodiscard]] std::expected<std::vector<const JsonValue*>, KeySetFault> list_keys(
    std::string_view text, Arena& arena);

/// The kid of a JWK: empty when absent.
[[nodiscard]] std::expected<std::string_view, KeyFault> kid_of(const JsonValue& jwk);

}  // namespace vesper::access
