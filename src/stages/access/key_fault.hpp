#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vesper::access {

/// Why one key of a set is not used. The others of the set still are.
enum class KeyFault : std::uint8_t {
  not_an_object,
  kid_missing,            ///< allowed only where the set has one key
  kid_invalid,            ///< not 1 to 256 printable characters
  type_unknown,           ///< kty
  use_not_signature,      ///< use other than sig
  verify_not_permitted,   ///< key_ops without verify
  algorithm_missing,      ///< neither in the key nor in the issuer's table
  algorithm_not_enabled,  ///< not HS256, RS256, ES256 or EdDSA
  algorithm_mismatch,     ///< does not fit the key's type, or the table says otherwise
  member_invalid,         ///< a number or point that is missing or not strict base64url
  rsa_too_small,          ///< below 2048 bits
  rsa_too_large,          ///< above 8192 bits
  rsa_exponent,           ///< 1, even, or above 32 bits
  rsa_modulus,            ///< even
  rsa_roca,
  secret_too_short,  ///< HS256 below 32 bytes
  secret_too_long,   ///< above 1 KiB
  point_not_on_curve,
  point_small_order
};

/// Why a set is refused whole.
enum class KeySetFault : std::uint8_t {
  too_large,  ///< above 256 KiB
  not_json,   ///< or a member name given twice
  not_a_key_set,
  too_many_keys,  ///< above 64
  mixed_symmetry,
  repeated_kid,
  no_usable_key
};

[[nodiscard]] std::string_view text_of(KeyFault fault);
[[nodiscard]] std::string_view text_of(KeySetFault fault);

struct RefusedKey {
  std::string kid;  ///< empty when it has none that may be shown
  KeyFault fault;
};

struct KeySetRefusal {
  KeySetFault fault;
  std::vector<RefusedKey> keys;  ///< no_usable_key: why none of them
};

/// One line for the operator: the set's fault, and each key's.
[[nodiscard]] std::string explain(const KeySetRefusal& refusal);

}  // namespace vesper::access
