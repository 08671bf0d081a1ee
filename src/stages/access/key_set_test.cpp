#include "stages/access/key_set.hpp"

#include <gtest/gtest.h>

#include <array>

#include "stages/access/test_keys.hpp"
#include "stages/access/weak_keys.hpp"

namespace vesper::access {
namespace {

using namespace testing;

// The fault of the only key of a set; nothing when it was taken.
std::optional<KeyFault> fault_of(const Json& jwk, std::span<const BoundAlgorithm> table = {}) {
  const auto set = parse_key_set(set_of({jwk}), table);
  if (set) return std::nullopt;
  EXPECT_EQ(set.error().fault, KeySetFault::no_usable_key);
  return set.error().keys.at(0).fault;
}

std::optional<KeySetFault> whole(const std::string& text) {
  const auto set = parse_key_set(text);
  if (set) return std::nullopt;
  return set.error().fault;
}

TEST(KeySet, TakesEveryEnabledKeyAndFindsItByExactKid) {
  const auto set = parse_key_set(set_of({with(public_jwk(Algorithm::rs256), "kid", "r"),
                                         with(public_jwk(Algorithm::es256), "kid", "e"),
                                         with(public_jwk(Algorithm::eddsa), "kid", "d")}));
  ASSERT_TRUE(set) << explain(set.error());
  EXPECT_EQ(set->find("r")->algorithm(), Algorithm::rs256);
  EXPECT_EQ(set->find("e")->algorithm(), Algorithm::es256);
  EXPECT_EQ(set->find("d")->algorithm(), Algorithm::eddsa);
  for (auto absent : {"", "R", "r ", "../r", "r' OR '1'='1"})
    EXPECT_EQ(set->find(absent), nullptr) << absent;
  EXPECT_EQ(set->only(), nullptr);
  EXPECT_FALSE(set->has_private);
}

TEST(KeySet, TakesOneBareJwkWithoutKid) {
  const auto set = parse_key_set(secret_jwk().dump());
  ASSERT_TRUE(set);
  EXPECT_NE(set->only(), nullptr);
  EXPECT_EQ(set->find(""), nullptr);
}

TEST(KeySet, RefusesWholeSetsThatMixOrRepeat) {
  const auto oct = with(secret_jwk('a'), "kid", "1"), ec = with(ec_jwk(), "kid", "2");
  EXPECT_EQ(whole(set_of({oct, ec})), KeySetFault::mixed_symmetry);
  // Also when the other kind could not have been used.
  EXPECT_EQ(whole(set_of({with(oct, "use", "enc"), ec})), KeySetFault::mixed_symmetry);
  EXPECT_EQ(whole(set_of({ec, with(ec_jwk(), "kid", "2")})), KeySetFault::repeated_kid);
  EXPECT_EQ(whole(set_of({ec, with(with(ec_jwk(), "kid", "2"), "use", "enc")})),
            KeySetFault::repeated_kid);
  EXPECT_EQ(whole(set_of({ec_jwk(), ec_jwk()})), KeySetFault::repeated_kid);
  EXPECT_EQ(whole(set_of({oct, with(secret_jwk('b'), "kid", "2")})), std::nullopt);
}

TEST(KeySet, RefusesWhatIsNoStrictKeySet) {
  for (auto text : {"", "[]", "null", "{}", R"({"keys":{}})", R"({"keys":[],"kty":"oct"})"})
    EXPECT_NE(whole(text), std::nullopt) << text;
  EXPECT_EQ(whole(R"({"keys":[]})"), KeySetFault::no_usable_key);
  EXPECT_EQ(whole(R"({"keys":[],"keys":[]})"), KeySetFault::not_json);
  std::string doubled = set_of({secret_jwk()});
  doubled.insert(doubled.find("\"kty\""), R"("kty":"oct",)");
  EXPECT_EQ(whole(doubled), KeySetFault::not_json);
}

TEST(KeySet, HasBoundsAtTheirEdge) {
  std::vector<Json> keys;
  for (int i = 0; i < 64; ++i) keys.push_back(with(secret_jwk(), "kid", std::to_string(i)));
  EXPECT_EQ(whole(set_of(keys)), std::nullopt);
  keys.push_back(with(secret_jwk(), "kid", "64"));
  EXPECT_EQ(whole(set_of(keys)), KeySetFault::too_many_keys);
  std::string text = set_of({secret_jwk()});
  text.append(256 * 1024 - text.size(), ' ');
  EXPECT_EQ(whole(text), std::nullopt);
  EXPECT_EQ(whole(text + ' '), KeySetFault::too_large);
}

TEST(KeySet, LeavesOutOneBadKeyAndSaysWhy) {
  const auto set = parse_key_set(
      set_of({with(ec_jwk(), "kid", "good"), with(with(ec_jwk(), "kid", "enc"), "use", "enc"),
              with(with(ec_jwk(), "kid", "pq"), "kty", "AKP"), ec_jwk()}));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->keys.size(), 1u);
  ASSERT_EQ(set->refused.size(), 3u);
  EXPECT_EQ(set->refused[0].kid, "enc");
  EXPECT_EQ(set->refused[0].fault, KeyFault::use_not_signature);
  EXPECT_EQ(set->refused[1].fault, KeyFault::type_unknown);
  EXPECT_EQ(set->refused[2].fault, KeyFault::kid_missing);
  EXPECT_TRUE(set->has_private);
}

TEST(KeySet, JudgesUseAndOperations) {
  const Json key = ec_jwk();
  EXPECT_EQ(fault_of(with(key, "use", "sig")), std::nullopt);
  EXPECT_EQ(fault_of(with(key, "use", 1)), KeyFault::use_not_signature);
  EXPECT_EQ(fault_of(with(key, "key_ops", {"sign", "verify"})), std::nullopt);
  EXPECT_EQ(fault_of(with(key, "key_ops", {"sign"})), KeyFault::verify_not_permitted);
  EXPECT_EQ(fault_of(with(key, "key_ops", Json::array())), KeyFault::verify_not_permitted);
  EXPECT_EQ(fault_of(with(key, "key_ops", "verify")), KeyFault::verify_not_permitted);
}

TEST(KeySet, BindsTheAlgorithm) {
  const Json key = with(ec_jwk(), "kid", "k"), bare = without(key, {"alg"});
  const BoundAlgorithm es256[]{{"k", Algorithm::es256}}, rs256[]{{"k", Algorithm::rs256}},
      other[]{{"K", Algorithm::es256}};
  EXPECT_EQ(fault_of(bare), KeyFault::algorithm_missing);
  EXPECT_EQ(fault_of(bare, es256), std::nullopt);
  EXPECT_EQ(fault_of(bare, other), KeyFault::algorithm_missing);
  EXPECT_EQ(fault_of(bare, rs256), KeyFault::algorithm_mismatch);
  EXPECT_EQ(fault_of(key, rs256), KeyFault::algorithm_mismatch);
  for (auto name : {"none", "HS256", "RS256", "EdDSA"})
    EXPECT_EQ(fault_of(with(key, "alg", name)), name == std::string{"none"}
                                                    ? KeyFault::algorithm_not_enabled
                                                    : KeyFault::algorithm_mismatch);
  for (auto name : {"", "es256", "ES384", "PS256", "ES256K"})
    EXPECT_EQ(fault_of(with(key, "alg", name)), KeyFault::algorithm_not_enabled) << name;
  EXPECT_EQ(fault_of(with(key, "alg", nullptr)), KeyFault::algorithm_not_enabled);
}

TEST(KeySet, RefusesWeakRsaKeys) {
  const Json key = private_jwk(Algorithm::rs256);
  EXPECT_EQ(fault_of(key), std::nullopt);
  EXPECT_EQ(fault_of(rsa_jwk(2047)), KeyFault::rsa_too_small);
  EXPECT_EQ(fault_of(with(key, "e", "AQ")), KeyFault::rsa_exponent);
  EXPECT_EQ(fault_of(with(key, "e", "AQAA")), KeyFault::rsa_exponent);     // 65536
  EXPECT_EQ(fault_of(with(key, "e", "AQAAAAE")), KeyFault::rsa_exponent);  // 2^32 + 1
  EXPECT_EQ(fault_of(with(key, "e", "Aw")), std::nullopt);
  EXPECT_EQ(fault_of(with(key, "e", "")), KeyFault::member_invalid);
  EXPECT_EQ(fault_of(with(key, "e", "AQAB=")), KeyFault::member_invalid);
  EXPECT_EQ(fault_of(with(key, "n", encode_base64url(std::string(1024, '\xff')))), std::nullopt);
  EXPECT_EQ(fault_of(with(key, "n", encode_base64url('\x01' + std::string(1024, '\xff')))),
            KeyFault::rsa_too_large);
  EXPECT_EQ(fault_of(with(key, "n", encode_base64url(std::string(256, '\xfe')))),
            KeyFault::rsa_modulus);
}

TEST(KeySet, KnowsTheRocaFingerprint) {
  // 65537^a mod M is of the weak form by its making, for every a; one more is not.
  const auto modulo = [](unsigned long long add) {
    BN_CTX* context = BN_CTX_new();
    BIGNUM *m = BN_new(), *n = BN_new(), *a = BN_new(), *g = BN_new();
    BN_one(m);
    for (unsigned long p = 2; p <= 167; ++p) {
      bool prime = true;
      for (unsigned long q = 2; q < p; ++q) prime &= p % q != 0;
      if (prime) BN_mul_word(m, p);
    }
    BN_set_word(g, 65537);
    BN_set_word(a, 123'456'789);
    BN_mod_exp(n, g, a, m, context);
    BN_add_word(n, add);
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(BN_num_bytes(n)));
    BN_bn2bin(n, bytes.data());
    for (BIGNUM* number : {m, n, a, g}) BN_free(number);
    BN_CTX_free(context);
    return bytes;
  };
  EXPECT_TRUE(roca_weak(modulo(0)));
  EXPECT_FALSE(roca_weak(modulo(1)));
  EXPECT_TRUE(roca_weak(std::array<std::uint8_t, 3>{1, 0, 1}));
}

TEST(KeySet, RefusesShortSecretsAndForeignPoints) {
  EXPECT_EQ(fault_of(secret_jwk('k', 31)), KeyFault::secret_too_short);
  EXPECT_EQ(fault_of(secret_jwk('k', 32)), std::nullopt);
  EXPECT_EQ(fault_of(secret_jwk('k', 1024)), std::nullopt);
  EXPECT_EQ(fault_of(secret_jwk('k', 1025)), KeyFault::secret_too_long);
  EXPECT_EQ(fault_of(without(secret_jwk(), {"k"})), KeyFault::member_invalid);

  const Json ec = ec_jwk();
  EXPECT_EQ(fault_of(with(ec, "x", ec["y"])), KeyFault::point_not_on_curve);
  EXPECT_EQ(fault_of(with(ec, "x", encode_base64url(std::string(32, '\0')))),
            KeyFault::point_not_on_curve);
  EXPECT_EQ(fault_of(with(ec, "x", encode_base64url(std::string(33, '\0')))),
            KeyFault::member_invalid);
  EXPECT_EQ(fault_of(with(ec, "crv", "P-384")), KeyFault::algorithm_mismatch);

  const Json ed = ed25519_jwk();
  EXPECT_EQ(fault_of(ed), std::nullopt);
  EXPECT_EQ(fault_of(with(ed, "x", encode_base64url(std::string(31, 'x')))),
            KeyFault::member_invalid);
  EXPECT_EQ(fault_of(with(ed, "x", encode_base64url(std::string(32, '\0')))),
            KeyFault::point_small_order);
  EXPECT_EQ(fault_of(with(ed, "x", encode_base64url(std::string(31, '\0') + '\x80'))),
            KeyFault::point_small_order);
  EXPECT_EQ(fault_of(with(ed, "crv", "X25519")), KeyFault::algorithm_mismatch);
}

TEST(KeySet, RefusesKidsThatCannotBeShown) {
  EXPECT_EQ(fault_of(with(ec_jwk(), "kid", std::string("a\0b", 3))), KeyFault::kid_invalid);
  EXPECT_EQ(fault_of(with(ec_jwk(), "kid", 7)), KeyFault::kid_invalid);
  EXPECT_EQ(fault_of(with(ec_jwk(), "kid", std::string(256, 'k'))), std::nullopt);
  EXPECT_EQ(fault_of(with(ec_jwk(), "kid", std::string(257, 'k'))), KeyFault::kid_invalid);
}

}  // namespace
}  // namespace vesper::access
