#include "stages/access/key_material.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "base/ensure.hpp"
#include "stages/access/weak_keys.hpp"

namespace vesper::access {
namespace {

constexpr int rsa_bits_min = 2048, rsa_bits_max = 8192, exponent_bits_max = 32;
constexpr std::size_t secret_bytes_min = 32, secret_bytes_max = 1024;
constexpr std::size_t coordinate_bytes = 32;

struct NumberFree {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
};
using Number = std::unique_ptr<BIGNUM, NumberFree>;
struct BuilderFree {
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
};
using Builder = std::unique_ptr<OSSL_PARAM_BLD, BuilderFree>;
struct ParametersFree {
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
};
struct ContextFree {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, ContextFree>;

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// The bytes of a base64url member; empty when it is absent or anything else.
std::string member_bytes(const JsonValue& jwk, std::string_view name) {
  std::string bytes;
  const JsonValue* member = jwk.find(name);
  if (member == nullptr || !member->is(JsonKind::string)) return {};
  if (!decode_base64url(member->text, bytes)) return {};
  return bytes;
}

Number number_of(const std::string& bytes) {
  return Number{BN_bin2bn(bytes_of(bytes).data(), static_cast<int>(bytes.size()), nullptr)};
}

EvpKey key_from(const char* type, OSSL_PARAM_BLD* builder, KeyHalf half) {
  const std::unique_ptr<OSSL_PARAM, ParametersFree> parameters{OSSL_PARAM_BLD_to_param(builder)};
  const Context context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  ensure(parameters != nullptr && context != nullptr);
  EVP_PKEY* key = nullptr;
  const int selection =
      half == KeyHalf::private_half ? int{EVP_PKEY_KEYPAIR} : int{EVP_PKEY_PUBLIC_KEY};
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()) != 1)
    key = nullptr;
  ERR_clear_error();
  return EvpKey{key};
}

// A private half must belong to the public one: a mistaken key would mint tokens nobody accepts.
bool consistent(EVP_PKEY* key, KeyHalf half) {
  const Context context{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
  ensure(context != nullptr);
  const bool good = half == KeyHalf::private_half ? EVP_PKEY_pairwise_check(context.get()) == 1
                                                  : EVP_PKEY_public_check(context.get()) == 1;
  ERR_clear_error();
  return good;
}

std::expected<void, KeyFault> check_rsa(const BIGNUM* n, const BIGNUM* e,
                                        std::span<const std::uint8_t> modulus) {
  if (BN_num_bits(n) < rsa_bits_min) return std::unexpected(KeyFault::rsa_too_small);
  if (BN_num_bits(n) > rsa_bits_max) return std::unexpected(KeyFault::rsa_too_large);
  if (!BN_is_odd(n)) return std::unexpected(KeyFault::rsa_modulus);
  if (!BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > exponent_bits_max)
    return std::unexpected(KeyFault::rsa_exponent);
  if (roca_weak(modulus)) return std::unexpected(KeyFault::rsa_roca);
  return {};
}

std::expected<EvpKey, KeyFault> rsa_key(const JsonValue& jwk, KeyHalf half) {
  const std::string modulus = member_bytes(jwk, "n"), exponent = member_bytes(jwk, "e");
  if (modulus.empty() || exponent.empty()) return std::unexpected(KeyFault::member_invalid);
  const Number n = number_of(modulus), e = number_of(exponent);
  ensure(n && e);
  if (auto sound = check_rsa(n.get(), e.get(), bytes_of(modulus)); !sound)
    return std::unexpected(sound.error());
  const Builder builder{OSSL_PARAM_BLD_new()};
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  std::vector<Number> numbers;
  if (half == KeyHalf::private_half) {
    constexpr std::pair<const char*, const char*> members[]{
        {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
        {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
    for (const auto& [name, parameter] : members) {
      const std::string bytes = member_bytes(jwk, name);
      if (bytes.empty()) return std::unexpected(KeyFault::member_invalid);
      numbers.push_back(number_of(bytes));
      OSSL_PARAM_BLD_push_BN(builder.get(), parameter, numbers.back().get());
    }
  }
  EvpKey key = key_from("RSA", builder.get(), half);
  if (!key || (half == KeyHalf::private_half && !consistent(key.get(), half)))
    return std::unexpected(KeyFault::member_invalid);
  return key;
}

std::expected<EvpKey, KeyFault> ec_key(const JsonValue& jwk, KeyHalf half) {
  const std::string x = member_bytes(jwk, "x"), y = member_bytes(jwk, "y");
  if (x.size() != coordinate_bytes || y.size() != coordinate_bytes)
    return std::unexpected(KeyFault::member_invalid);
  const std::string point = '\x04' + x + y;
  const Builder builder{OSSL_PARAM_BLD_new()};
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  Number d;
  if (half == KeyHalf::private_half) {
    const std::string secret = member_bytes(jwk, "d");
    if (secret.size() != coordinate_bytes) return std::unexpected(KeyFault::member_invalid);
    d = number_of(secret);
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, d.get());
  }
  EvpKey key = key_from("EC", builder.get(), half);
  if (!key || !consistent(key.get(), KeyHalf::public_half))
    return std::unexpected(KeyFault::point_not_on_curve);
  if (half == KeyHalf::private_half && !consistent(key.get(), half))
    return std::unexpected(KeyFault::member_invalid);
  return key;
}

std::expected<EvpKey, KeyFault> ed25519_key(const JsonValue& jwk, KeyHalf half) {
  const std::string x = member_bytes(jwk, "x");
  if (x.size() != 32) return std::unexpected(KeyFault::member_invalid);
  if (ed25519_small_order(bytes_of(x).first<32>()))
    return std::unexpected(KeyFault::point_small_order);
  if (half == KeyHalf::public_half) {
    EvpKey key{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x).data(), 32)};
    if (!key) return std::unexpected(KeyFault::point_not_on_curve);
    return key;
  }
  const std::string d = member_bytes(jwk, "d");
  if (d.size() != 32) return std::unexpected(KeyFault::member_invalid);
  EvpKey key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(d).data(), 32)};
  std::array<unsigned char, 32> derived{};
  std::size_t size = derived.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), derived.data(), &size) != 1 ||
      std::memcmp(derived.data(), x.data(), 32) != 0)
    return std::unexpected(KeyFault::member_invalid);
  return key;
}

}  // namespace

std::expected<EvpKey, KeyFault> key_material(const JsonValue& jwk, Algorithm algorithm,
                                             KeyHalf half) {
  switch (algorithm) {
    case Algorithm::rs256:
      return rsa_key(jwk, half);
    case Algorithm::es256:
      return ec_key(jwk, half);
    case Algorithm::eddsa:
      return ed25519_key(jwk, half);
    case Algorithm::hs256:
      break;
  }
  return std::unexpected(KeyFault::algorithm_mismatch);
}

std::expected<std::string, KeyFault> secret_material(const JsonValue& jwk) {
  const JsonValue* member = jwk.find("k");
  std::string secret;
  if (member == nullptr || !member->is(JsonKind::string) || !decode_base64url(member->text, secret))
    return std::unexpected(KeyFault::member_invalid);
  if (secret.size() < secret_bytes_min) return std::unexpected(KeyFault::secret_too_short);
  if (secret.size() > secret_bytes_max) return std::unexpected(KeyFault::secret_too_long);
  return secret;
}

}  // namespace vesper::access
