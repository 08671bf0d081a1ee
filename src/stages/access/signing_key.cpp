#include "stages/access/signing_key.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <utility>
#include <vector>

#include "base/encoding.hpp"
#include "base/ensure.hpp"
#include "stages/access/key_material.hpp"
#include "stages/access/key_set.hpp"

namespace vesper::access {
namespace {

struct SignContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct SignatureFree {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

std::string raw_of_der(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, SignatureFree> signature{
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()))};
  ensure(signature != nullptr);
  std::string raw(64, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  ensure(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, 32) == 32 &&
         BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + 32, 32) == 32);
  return raw;
}

std::optional<Algorithm> algorithm_of(EVP_PKEY* key) {
  char group[32] = {};
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return EVP_PKEY_get_bits(key) >= 2048 ? std::optional{Algorithm::rs256} : std::nullopt;
    case EVP_PKEY_EC:
      return EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
                     std::string_view{group} == "prime256v1"
                 ? std::optional{Algorithm::es256}
                 : std::nullopt;
    case EVP_PKEY_ED25519:
      return Algorithm::eddsa;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view text_of(SigningFault fault) {
  switch (fault) {
    case SigningFault::not_a_key_set:
      return "the key file is neither a JWK set, nor one JWK, nor a PEM private key";
    case SigningFault::no_such_kid:
      return "no key of the file has that kid";
    case SigningFault::ambiguous:
      return "several keys of the file can sign: name one by its kid";
    case SigningFault::not_signing:
      return "the key cannot sign: it is weak, not enabled, not for signing, or public only";
    case SigningFault::not_a_pem:
      return "not an unencrypted PEM private key of RSA (2048 bits or more), P-256 or Ed25519";
  }
  std::unreachable();
}

std::expected<SigningKey, SigningFault> SigningKey::from_jwk(std::string_view text,
                                                             std::optional<std::string_view> kid) {
  Arena arena;
  const auto listed = list_keys(text, arena);
  if (!listed) return std::unexpected(SigningFault::not_a_key_set);
  std::vector<SigningKey> usable;
  bool named = false;
  for (const JsonValue* jwk : *listed) {
    const auto its_kid =
        jwk->is(JsonKind::object) ? kid_of(*jwk) : std::unexpected(KeyFault::not_an_object);
    if (!its_kid || (kid && *kid != *its_kid)) continue;
    named = true;
    if (!permitted(*jwk, "sign")) continue;
    const auto algorithm = bound_algorithm(*jwk, *its_kid, {});
    if (!algorithm) continue;
    SigningKey key{std::string{*its_kid}, *algorithm};
    if (*algorithm == Algorithm::hs256) {
      const auto secret = secret_material(*jwk);
      if (!secret) continue;
      key.secret_.emplace(*secret);
    } else {
      auto material = key_material(*jwk, *algorithm, KeyHalf::private_half);
      if (!material) continue;
      key.private_ = std::move(*material);
    }
    usable.push_back(std::move(key));
  }
  if (kid && !named) return std::unexpected(SigningFault::no_such_kid);
  if (usable.empty()) return std::unexpected(SigningFault::not_signing);
  if (usable.size() > 1) return std::unexpected(SigningFault::ambiguous);
  return std::move(usable.front());
}

std::expected<SigningKey, SigningFault> SigningKey::from_pem(std::string_view text,
                                                             std::string_view kid) {
  const std::unique_ptr<BIO, BioFree> bio{
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  ensure(bio != nullptr);
  // An encrypted file is refused: without this OpenSSL would ask on the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  EvpKey material{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr)};
  ERR_clear_error();
  const auto algorithm = material ? algorithm_of(material.get()) : std::nullopt;
  if (!algorithm) return std::unexpected(SigningFault::not_a_pem);
  SigningKey key{std::string{kid}, *algorithm};
  key.private_ = std::move(material);
  return key;
}

std::string SigningKey::sign(std::string_view input) const {
  if (secret_) {
    const Sha256Digest tag = secret_->sign(input);
    return {reinterpret_cast<const char*>(tag.data()), tag.size()};
  }
  const std::unique_ptr<EVP_MD_CTX, SignContextFree> context{EVP_MD_CTX_new()};
  const EVP_MD* digest = algorithm_ == Algorithm::eddsa ? nullptr : EVP_sha256();
  const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
  std::size_t size = 0;
  ensure(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, private_.get()) == 1);
  ensure(EVP_DigestSign(context.get(), nullptr, &size, bytes, input.size()) == 1);
  std::string signature(size, '\0');
  ensure(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                        bytes, input.size()) == 1);
  signature.resize(size);
  return algorithm_ == Algorithm::es256 ? raw_of_der(signature) : signature;
}

std::string SigningKey::token(std::string_view payload) const {
  std::string header = R"({"alg":")";
  header.append(name_of(algorithm_)).append(R"(","typ":"JWT")");
  if (!kid_.empty()) {
    header += R"(,"kid":")";
    append_json_escaped(header, kid_);
    header += '"';
  }
  header += '}';
  std::string token = encode_base64url(header);
  token.append(".").append(encode_base64url(payload));
  const std::string signature = encode_base64url(sign(token));
  token.append(".").append(signature);
  return token;
}

}  // namespace vesper::access
