#include "stages/access/key_fault.hpp"

#include <utility>

namespace vesper::access {

std::string_view text_of(KeyFault fault) {
  switch (fault) {
    case KeyFault::not_an_object:
      return "is not a JSON object";
    case KeyFault::kid_missing:
      return "has no kid, although the set has several keys";
    case KeyFault::kid_invalid:
      return "kid is not 1 to 256 characters without control characters";
    case KeyFault::type_unknown:
      return "kty is not oct, RSA, EC or OKP";
    case KeyFault::use_not_signature:
      return "use is not sig";
    case KeyFault::verify_not_permitted:
      return "key_ops does not name the operation (verify, or sign to mint)";
    case KeyFault::algorithm_missing:
      return "states no alg, and the issuer's algorithms name none for its kid";
    case KeyFault::algorithm_not_enabled:
      return "alg is not HS256, RS256, ES256 or EdDSA";
    case KeyFault::algorithm_mismatch:
      return "alg does not fit kty and crv, or differs from the issuer's algorithms";
    case KeyFault::member_invalid:
      return "a member is missing or not strict base64url of the right length";
    case KeyFault::rsa_too_small:
      return "RSA modulus is below 2048 bits";
    case KeyFault::rsa_too_large:
      return "RSA modulus is above 8192 bits";
    case KeyFault::rsa_exponent:
      return "RSA exponent is 1, even or above 32 bits";
    case KeyFault::rsa_modulus:
      return "RSA modulus is even";
    case KeyFault::rsa_roca:
      return "RSA modulus has the ROCA weakness (CVE-2017-15361)";
    case KeyFault::secret_too_short:
      return "HS256 secret is below 32 bytes";
    case KeyFault::secret_too_long:
      return "HS256 secret is above 1024 bytes";
    case KeyFault::point_not_on_curve:
      return "point is not on the curve";
    case KeyFault::point_small_order:
      return "Ed25519 point has a small order";
  }
  std::unreachable();
}

std::string_view text_of(KeySetFault fault) {
  switch (fault) {
    case KeySetFault::too_large:
      return "the key set is above 256 KiB";
    case KeySetFault::not_json:
      return "the key set is not JSON, or an object gives a member twice";
    case KeySetFault::not_a_key_set:
      return "neither a JWK set (an object with the array keys) nor one JWK";
    case KeySetFault::too_many_keys:
      return "the key set has more than 64 keys";
    case KeySetFault::mixed_symmetry:
      return "the key set mixes symmetric (oct) and asymmetric keys";
    case KeySetFault::repeated_kid:
      return "the key set repeats a kid, or has two keys without one";
    case KeySetFault::no_usable_key:
      return "the key set has no usable key";
  }
  std::unreachable();
}

std::string explain(const KeySetRefusal& refusal) {
  std::string text{text_of(refusal.fault)};
  for (const RefusedKey& key : refusal.keys) {
    text += "; key ";
    if (key.kid.empty())
      text += "without kid";
    else
      text.append("'").append(key.kid).append("'");
    text.append(": ").append(text_of(key.fault));
  }
  return text;
}

}  // namespace vesper::access
