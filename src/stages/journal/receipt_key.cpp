#include "stages/journal/receipt_key.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <cstring>
#include <utility>

#include "base/encoding.hpp"
#include "base/ensure.hpp"
#include "stages/journal/sha256.hpp"

namespace vesper {
namespace {

constexpr std::string_view eddsa = "EdDSA", es256 = "ES256";
constexpr std::size_t ed25519_bytes = 32, p256_bytes = 64, coordinate_bytes = 32;

template <auto free>
struct Freed {
  void operator()(auto* thing) const { free(thing); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using Group = std::unique_ptr<EC_GROUP, Freed<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Freed<EC_POINT_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// The facts of a key, or empty ones when it is of a kind that does not sign receipts.
ReceiptKeyFacts facts_of(EVP_PKEY* key) {
  ReceiptKeyFacts facts;
  std::string bytes(1 + p256_bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  std::size_t size = bytes.size();
  char group[32] = {};
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 &&
      EVP_PKEY_get_raw_public_key(key, out, &size) == 1) {
    facts.algorithm = eddsa;
    facts.public_key = bytes.substr(0, size);
  } else if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
             EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
             std::string_view{group} == "prime256v1" &&
             EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out, size, &size) == 1 &&
             size == bytes.size() && bytes[0] == 4) {
    facts.algorithm = es256;
    facts.public_key = bytes.substr(1);
  }
  facts.kid = receipt_key_id(facts);
  return facts;
}

Key ec_key(std::string_view point, const BIGNUM* secret) {
  const Builder builder{OSSL_PARAM_BLD_new()};
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  if (secret != nullptr) OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret);
  const Parameters parameters{OSSL_PARAM_BLD_to_param(builder.get())};
  const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
  EVP_PKEY* key = nullptr;
  const int half = secret != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  if (EVP_PKEY_fromdata_init(context.get()) == 1)
    (void)EVP_PKEY_fromdata(context.get(), &key, half, parameters.get());
  ERR_clear_error();
  return Key{key};
}

Key public_key(const ReceiptKeyFacts& facts) {
  if (facts.algorithm == eddsa && facts.public_key.size() == ed25519_bytes)
    return Key{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(facts.public_key),
                                           ed25519_bytes)};
  if (facts.algorithm == es256 && facts.public_key.size() == p256_bytes)
    return ec_key("\x04" + facts.public_key, nullptr);
  return nullptr;
}

// 320 bits modulo the group's order less one, plus one: FIPS 186-5, A.2.1.
Key p256_from(std::span<const std::uint8_t, receipt_key_entropy_bytes> entropy) {
  const Group group{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
  const Number secret{BN_bin2bn(entropy.data(), static_cast<int>(entropy.size()), nullptr)};
  const Number order{BN_dup(EC_GROUP_get0_order(group.get()))};
  const std::unique_ptr<BN_CTX, Freed<BN_CTX_free>> room{BN_CTX_new()};
  ensure(BN_sub_word(order.get(), 1) == 1);
  ensure(BN_mod(secret.get(), secret.get(), order.get(), room.get()) == 1);
  ensure(BN_add_word(secret.get(), 1) == 1);
  const Point point{EC_POINT_new(group.get())};
  ensure(EC_POINT_mul(group.get(), point.get(), secret.get(), nullptr, nullptr, room.get()) == 1);
  std::string bytes(1 + p256_bytes, '\0');
  ensure(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED,
                            reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                            room.get()) == bytes.size());
  return ec_key(bytes, secret.get());
}

Signature raw_of_der(const unsigned char* der, std::size_t size) {
  const EcSignature parts{d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size))};
  Signature raw{};
  ensure(parts != nullptr);
  ensure(BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), raw.data(), coordinate_bytes) > 0);
  ensure(BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), raw.data() + 32, coordinate_bytes) > 0);
  return raw;
}

std::string der_of_raw(const Signature& raw) {
  const EcSignature parts{ECDSA_SIG_new()};
  ensure(parts != nullptr);
  ensure(ECDSA_SIG_set0(parts.get(), BN_bin2bn(raw.data(), coordinate_bytes, nullptr),
                        BN_bin2bn(raw.data() + 32, coordinate_bytes, nullptr)) == 1);
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  ensure(size > 0);
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

}  // namespace

struct ReceiptSigner::Key {
  vesper::Key key;
  DigestContext context{EVP_MD_CTX_new()};
};

ReceiptSigner::ReceiptSigner(ReceiptKeyFacts facts, std::unique_ptr<Key> key)
    : facts_(std::move(facts)), key_(std::move(key)) {}
ReceiptSigner::~ReceiptSigner() = default;

std::expected<std::unique_ptr<ReceiptSigner>, std::string> ReceiptSigner::from_pem(
    std::string_view pem) {
  const Memory memory{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  ensure(memory != nullptr);
  // An encrypted file is refused: without this OpenSSL would ask on the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  vesper::Key read{PEM_read_bio_PrivateKey(memory.get(), nullptr, no_password, nullptr)};
  ERR_clear_error();
  if (!read) return std::unexpected("it is no unencrypted private key in PEM (PKCS 8)");
  ReceiptKeyFacts facts = facts_of(read.get());
  if (facts.kid.empty())
    return std::unexpected("it is a key of another kind: receipts are signed by Ed25519 or P-256");
  auto key = std::make_unique<Key>();
  key->key = std::move(read);
  return std::unique_ptr<ReceiptSigner>(new ReceiptSigner(std::move(facts), std::move(key)));
}

Signature ReceiptSigner::sign(const LinkStatement& statement) const {
  const auto bytes = statement_bytes(statement);
  const bool ed = facts_.algorithm == eddsa;
  unsigned char out[80];
  std::size_t size = sizeof out;
  EVP_MD_CTX* context = key_->context.get();
  ensure(EVP_DigestSignInit(context, nullptr, ed ? nullptr : EVP_sha256(), nullptr,
                            key_->key.get()) == 1);
  ensure(EVP_DigestSign(context, out, &size, bytes.data(), bytes.size()) == 1);
  EVP_MD_CTX_reset(context);
  if (!ed) return raw_of_der(out, size);
  Signature signature{};
  ensure(size == signature.size());
  std::memcpy(signature.data(), out, size);
  return signature;
}

std::string make_receipt_key(ReceiptAlgorithm algorithm,
                             std::span<const std::uint8_t, receipt_key_entropy_bytes> entropy) {
  const Key key = algorithm == ReceiptAlgorithm::es256
                      ? p256_from(entropy)
                      : Key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, entropy.data(),
                                                         ed25519_bytes)};
  const Memory memory{BIO_new(BIO_s_mem())};
  ensure(key != nullptr && memory != nullptr);
  ensure(PEM_write_bio_PKCS8PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                       nullptr) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::array<std::uint8_t, link_statement_bytes> statement_bytes(const LinkStatement& statement) {
  constexpr char domain[15] = "vesper-link-v1";
  std::array<std::uint8_t, link_statement_bytes> bytes{};
  std::memcpy(bytes.data(), domain, sizeof domain);
  std::memcpy(bytes.data() + 15, statement.chain.bytes.data(), 16);
  for (std::size_t i = 0; i < 8; ++i)
    bytes[31 + i] = static_cast<std::uint8_t>(statement.group >> (8 * (7 - i)));
  std::memcpy(bytes.data() + 39, statement.link.data(), 32);
  return bytes;
}

bool verify_link(const ReceiptKeyFacts& facts, const LinkStatement& statement,
                 const Signature& signature) {
  const Key key = public_key(facts);
  const DigestContext context{EVP_MD_CTX_new()};
  if (!key) return false;
  const bool ed = facts.algorithm == eddsa;
  const auto bytes = statement_bytes(statement);
  const std::string der = ed ? std::string{} : der_of_raw(signature);
  const bool good =
      EVP_DigestVerifyInit(context.get(), nullptr, ed ? nullptr : EVP_sha256(), nullptr,
                           key.get()) == 1 &&
      EVP_DigestVerify(context.get(), ed ? signature.data() : bytes_of(der),
                       ed ? signature.size() : der.size(), bytes.data(), bytes.size()) == 1;
  ERR_clear_error();
  return good;
}

std::string receipt_key_id(const ReceiptKeyFacts& key) {
  std::string jwk;
  if (key.algorithm == eddsa && key.public_key.size() == ed25519_bytes)
    jwk = R"({"crv":"Ed25519","kty":"OKP","x":")" + encode_base64url(key.public_key) + "\"}";
  else if (key.algorithm == es256 && key.public_key.size() == p256_bytes)
    jwk = R"({"crv":"P-256","kty":"EC","x":")" +
          encode_base64url(std::string_view(key.public_key).substr(0, coordinate_bytes)) +
          R"(","y":")" +
          encode_base64url(std::string_view(key.public_key).substr(coordinate_bytes)) + "\"}";
  else
    return {};
  const Hash hash = content_hash(jwk);
  return encode_base64url({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace vesper
