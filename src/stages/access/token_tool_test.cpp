#include "stages/access/token_tool.hpp"

#include <gtest/gtest.h>

#include "stages/access/demo_keys.hpp"
#include "stages/access/test_keys.hpp"

namespace vesper::access {
namespace {

using namespace testing;

constexpr WallTime now{std::chrono::seconds{1'800'000'000}};

MintRequest request() {
  return {.issuer = "https://id.example",
          .audience = "vesper",
          .subject = "S-\"1",
          .trials = {"EVENING-01"},
          .scope = "patient",
          .issued_at = now};
}
InspectOptions options() {
  return {.now = now, .issuer = {}, .audience = {}};
}

TEST(TokenTool, MintsWhatItVerifiesInEveryAlgorithm) {
  for (auto algorithm : {Algorithm::hs256, Algorithm::rs256, Algorithm::es256, Algorithm::eddsa}) {
    const auto key = SigningKey::from_jwk(with(private_jwk(algorithm), "kid", "k").dump());
    ASSERT_TRUE(key) << name_of(algorithm);
    const auto token = mint(request(), *key);
    ASSERT_TRUE(token);
    const auto report =
        inspect_token(*token, set_of({with(public_jwk(algorithm), "kid", "k")}), options());
    EXPECT_TRUE(report.accepted) << report.reason;
    EXPECT_EQ(report.algorithm, name_of(algorithm));
    const Json claims = Json::parse(report.claims);
    EXPECT_EQ(claims["sub"], "S-\"1");
    EXPECT_EQ(claims["trial"], "EVENING-01");
    EXPECT_EQ(claims["exp"], 1'800'003'600);
    EXPECT_EQ(Json::parse(to_json(report))["claims"], claims);
  }
}

TEST(TokenTool, SaysWhyATokenIsNotAccepted) {
  const auto key = SigningKey::from_jwk(secret_jwk().dump());
  const auto token = mint(request(), *key);
  auto late = options();
  late.now = now + 3'660s;
  EXPECT_EQ(inspect_token(*token, secret_jwk().dump(), late).reason, "the token has expired");
  late.signature_only = true;
  EXPECT_TRUE(inspect_token(*token, secret_jwk().dump(), late).accepted);
  EXPECT_FALSE(inspect_token(*token, secret_jwk('x').dump(), late).accepted);
  auto other = options();
  other.audience = "elsewhere";
  EXPECT_EQ(inspect_token(*token, secret_jwk().dump(), other).reason,
            "the token is for another audience");
  other.audience = {};
  other.issuer = "https://elsewhere";
  EXPECT_FALSE(inspect_token(*token, secret_jwk().dump(), other).accepted);
  EXPECT_EQ(inspect_token(*token, secret_jwk('k', 31).dump(), options()).reason,
            "the key set has no usable key; key without kid: HS256 secret is below 32 bytes");
  EXPECT_EQ(inspect_token("junk", secret_jwk().dump(), options()).accepted, false);
}

TEST(TokenTool, ChecksSignaturesOfAnyPayload) {
  const auto key = SigningKey::from_jwk(secret_jwk().dump());
  auto only = options();
  only.signature_only = true;
  for (const char* payload : {"", "foo", "[1]"})
    EXPECT_TRUE(inspect_token(key->token(payload), secret_jwk().dump(), only).accepted) << payload;
  EXPECT_FALSE(inspect_token(key->token("foo"), secret_jwk().dump(), options()).accepted);
}

TEST(TokenTool, FurtherClaimsAreTakenAsWrittenAndWin) {
  const auto key = SigningKey::from_jwk(secret_jwk().dump());
  auto asked = request();
  asked.trials = {"A", "B"};
  asked.not_before = now - 5s;
  asked.more_claims =
      R"({ "sub": "x\"y", "exp" : 1800000001.5, "deep":{"a":[1,null,true]}, "no": false})";
  const auto token = mint(asked, *key);
  ASSERT_TRUE(token);
  const auto report = inspect_token(*token, secret_jwk().dump(), options());
  EXPECT_TRUE(report.accepted) << report.reason;
  const Json claims = Json::parse(report.claims);
  EXPECT_EQ(claims["sub"], "x\"y");
  EXPECT_EQ(claims["exp"], 1800000001.5);
  EXPECT_EQ(claims["nbf"], 1799999995);
  EXPECT_EQ(claims["trial"], (Json{"A", "B"}));
  EXPECT_EQ(claims["deep"]["a"], (Json{1, nullptr, true}));
  EXPECT_EQ(claims["no"], false);
  for (const char* bad : {"[]", "{", "7", R"({"a":1,"a":2})"}) {
    asked.more_claims = bad;
    EXPECT_EQ(mint(asked, *key).error(), MintFault::claims_not_an_object) << bad;
  }
  asked.more_claims = R"({"pad":")" + std::string(9'000, 'p') + "\"}";
  EXPECT_EQ(mint(asked, *key).error(), MintFault::too_long);
  asked = request();
  asked.subject = "S\n1";
  EXPECT_EQ(mint(asked, *key).error(), MintFault::name_invalid);
}

TEST(SigningKey, IsChosenByKidOrBecauseItIsTheOnlyOne) {
  const auto a = with(ec_jwk(), "kid", "a"), b = with(ec_jwk(), "kid", "b");
  EXPECT_EQ(SigningKey::from_jwk(set_of({a, b})).error(), SigningFault::ambiguous);
  EXPECT_EQ(SigningKey::from_jwk(set_of({a, b}), "b")->kid(), "b");
  EXPECT_EQ(SigningKey::from_jwk(set_of({a, b}), "c").error(), SigningFault::no_such_kid);
  EXPECT_EQ(SigningKey::from_jwk(set_of({a, without(b, {"d"})}))->kid(), "a");
  EXPECT_EQ(SigningKey::from_jwk(without(a, {"d"}).dump()).error(), SigningFault::not_signing);
  EXPECT_EQ(SigningKey::from_jwk(with(a, "key_ops", {"verify"}).dump()).error(),
            SigningFault::not_signing);
  EXPECT_EQ(SigningKey::from_jwk(with(a, "d", b["d"]).dump()).error(), SigningFault::not_signing);
  EXPECT_EQ(SigningKey::from_jwk("nonsense").error(), SigningFault::not_a_key_set);
}

TEST(SigningKey, ReadsPemKeys) {
  constexpr const char* pem =
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
      "-----END PRIVATE KEY-----\n";  // RFC 8037, appendix A.1
  const auto key = SigningKey::from_pem(pem, "rfc8037");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->algorithm(), Algorithm::eddsa);
  // RFC 8037, appendix A.4.
  EXPECT_EQ(
      encode_base64url(key->sign("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc")),
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_EQ(SigningKey::from_pem("junk", "").error(), SigningFault::not_a_pem);
}

TEST(DemoKeys, AreMadeAnewAndKnownAsSuch) {
  std::array<std::uint8_t, demonstration_entropy_bytes> entropy{1, 2, 3, 4};
  const DemoKeys demo = make_demo_keys(entropy);
  entropy[9] = 1;
  EXPECT_NE(make_demo_keys(entropy).key_set, demo.key_set);
  const auto keys = parse_key_set(demo.key_set);
  ASSERT_TRUE(keys);
  EXPECT_TRUE(keys->demonstration);
  EXPECT_FALSE(admissible(*keys, false));
  EXPECT_TRUE(admissible(*keys, true));
  EXPECT_TRUE(admissible(*parse_key_set(secret_jwk().dump()), false));
  const auto signer = SigningKey::from_jwk(demo.key_set);
  ASSERT_TRUE(signer);
  EXPECT_EQ(signer->kid(), "demo-01020304");
  auto asked = request();
  asked.issuer = demo.rules.issuer;
  EXPECT_TRUE(inspect_token(*mint(asked, *signer), demo.key_set, options()).accepted);
}

}  // namespace
}  // namespace vesper::access
