#include "stages/access/verifier.hpp"

#include <gtest/gtest.h>

#include "stages/access/authenticator.hpp"
#include "stages/access/test_keys.hpp"

namespace vesper::access {
namespace {

using namespace testing;
using std::chrono::milliseconds;

constexpr std::int64_t now_s = 1'800'000'000;
constexpr WallTime now{std::chrono::seconds{now_s}};
constexpr auto issuer_name = "https://id.example";

Json claims() {
  return {{"iss", issuer_name}, {"aud", "vesper"},       {"sub", "S-000123"},
          {"exp", now_s + 600}, {"trial", "EVENING-01"}, {"scope", "patient"}};
}

KeyRing ring_of(const std::string& set, Scopes grantable = all_scopes(),
                const char* subject_claim = "sub") {
  auto keys = parse_key_set(set);
  EXPECT_TRUE(keys);
  KeyRing ring{.issuers = {}, .generation = 1};
  IssuerRules rules{.issuer = issuer_name,
                    .audience = "vesper",
                    .grantable = grantable,
                    .subject_claim = subject_claim};
  ring.issuers.push_back({rules, std::make_shared<const KeySet>(std::move(*keys))});
  return ring;
}
KeyRing hs256_ring() {
  return ring_of(set_of({with(secret_jwk(), "kid", "k1")}));
}

const char* const header = R"({"alg":"HS256","kid":"k1"})";

std::string signed_token(const Json& payload, const char* with_header = header) {
  return sign(Algorithm::hs256, with_header, payload.dump());
}

// Nothing: accepted.
std::optional<AccessFault> fault_of(const std::string& token, const KeyRing& ring = hs256_ring(),
                                    WallTime at = now) {
  Verifier verifier;
  const auto verified = verifier.verify(token, ring, at);
  if (verified) return std::nullopt;
  return verified.error().fault;
}
std::optional<AccessFault> fault_of_claims(const Json& payload, WallTime at = now) {
  return fault_of(signed_token(payload), hs256_ring(), at);
}
std::shared_ptr<const Caller> caller_of(const Json& payload, const KeyRing& ring = hs256_ring()) {
  Verifier verifier;
  auto verified = verifier.verify(signed_token(payload), ring, now);
  return verified ? verified->caller : nullptr;
}

TEST(Verifier, AcceptsEachEnabledAlgorithm) {
  for (auto algorithm : {Algorithm::hs256, Algorithm::rs256, Algorithm::es256, Algorithm::eddsa}) {
    const auto ring = ring_of(set_of({with(public_jwk(algorithm), "kid", "k1")}));
    const std::string head =
        R"({"alg":")" + std::string{name_of(algorithm)} + R"(","typ":"JWT","kid":"k1"})";
    std::string token = sign(algorithm, head, claims().dump());
    EXPECT_EQ(fault_of(token, ring), std::nullopt) << name_of(algorithm);
    const std::size_t in_signature = token.rfind('.') + 5;
    token[in_signature] = token[in_signature] == 'A' ? 'B' : 'A';
    EXPECT_EQ(fault_of(token, ring), AccessFault::bad_signature) << name_of(algorithm);
  }
}

TEST(Verifier, KeepsWhatTheTokenProves) {
  Json payload = claims();
  payload["trial"] = {"B", "A", "B"};
  payload["scope"] = "openid patient  site unknown";
  payload["site"] = "S1";
  payload["jti"] = "id-7";
  payload["acr"] = "loa2";
  payload["amr"] = {"pwd", "otp"};
  const auto caller = caller_of(payload);
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->issuer, issuer_name);
  EXPECT_EQ(caller->kid, "k1");
  EXPECT_EQ(caller->algorithm, "HS256");
  EXPECT_EQ(caller->subject, "S-000123");
  EXPECT_EQ(caller->trials, (std::vector<std::string>{"A", "B"}));
  EXPECT_TRUE(caller->may_touch("A") && !caller->may_touch("C"));
  EXPECT_EQ(caller->scopes, (Scopes{3}));
  EXPECT_EQ(caller->site, "S1");
  EXPECT_EQ(caller->jti + caller->acr + caller->amr, "id-7loa2pwd otp");
  EXPECT_EQ(caller->expires_at, now + 600s);
}

TEST(Verifier, GrantsOnlyWhatTheIssuerMay) {
  Json payload = claims();
  payload["scope"] = "patient site ops";
  EXPECT_EQ(
      caller_of(payload, ring_of(set_of({with(secret_jwk(), "kid", "k1")}), Scopes{1}))->scopes,
      (Scopes{1}));
  EXPECT_EQ(IssuerRules{}.grantable, (Scopes{1}));
  EXPECT_EQ(caller_of(without(claims(), {"scope"}))->scopes, (Scopes{0}));
}

TEST(Verifier, TakesThePatientFromTheClaimItsIssuerNames) {
  const auto ring = ring_of(set_of({with(secret_jwk(), "kid", "k1")}), all_scopes(), "subject_id");
  Json payload = claims();
  EXPECT_EQ(fault_of(signed_token(payload), ring), AccessFault::claim_missing);
  payload["subject_id"] = "P-9";
  EXPECT_EQ(caller_of(payload, ring)->subject, "P-9");
  payload["scope"] = "site";  // staff act under their own name
  EXPECT_EQ(caller_of(payload, ring)->subject, "S-000123");
  payload["subject_id"] = 9;
  payload["scope"] = "patient";
  EXPECT_EQ(fault_of(signed_token(payload), ring), AccessFault::claim_invalid);
}

TEST(Verifier, RefusesOtherFormsThanCompactJws) {
  const std::string good = signed_token(claims());
  const auto first = good.find('.'), last = good.rfind('.');
  const std::string h = good.substr(0, first), p = good.substr(first + 1, last - first - 1),
                    s = good.substr(last + 1);
  for (const std::string& bad :
       {std::string{}, std::string{"."}, std::string{".."}, h + "." + p, h + "." + p + ".",
        "." + p + "." + s, h + "." + p + "." + s + ".", h + "." + p + "." + s + "." + s,
        h + "=." + p + "." + s, h + "." + p + "=." + s, h + "." + p + "." + s + "=", " " + good,
        good + "\n", h + ".." + s, std::string{R"({"payload":"a"})"}})
    EXPECT_EQ(fault_of(bad), AccessFault::malformed) << bad;
  EXPECT_EQ(fault_of(good), std::nullopt);
  for (std::size_t size = 0; size < good.size(); size += 7)
    EXPECT_NE(fault_of(good.substr(0, size)), std::nullopt);
}

TEST(Verifier, RefusesOtherAlgorithmsThanTheKeys) {
  const std::string payload = claims().dump();
  for (auto alg : {"none", "NONE", "nOnE", "hs256", "HS384", "RS256", "ES256", "EdDSA", "dir"})
    EXPECT_EQ(fault_of(signed_token(
                  claims(), (std::string{R"({"kid":"k1","alg":")"} + alg + R"("})").c_str())),
              AccessFault::wrong_algorithm)
        << alg;
  for (auto head :
       {R"({"kid":"k1"})", R"({"kid":"k1","alg":""})", R"({"kid":"k1","alg":["HS256"]})",
        R"({"kid":"k1","alg":"none","alg":"HS256"})", "[]", "null", "{"})
    EXPECT_EQ(fault_of(signed_token(claims(), head)), AccessFault::malformed) << head;
}

TEST(Verifier, IsNotConfusedIntoUsingAPublicKeyAsASecret) {
  const Json rsa = with(public_jwk(Algorithm::rs256), "kid", "k1");
  const auto ring = ring_of(set_of({rsa}));
  for (const std::string& secret : {rsa.dump(), rsa["n"].get<std::string>()}) {
    const HmacKey attacker{secret};
    std::string token = encode_base64url(header) + "." + encode_base64url(claims().dump());
    const auto tag = attacker.sign(token);
    token += "." + encode_base64url({reinterpret_cast<const char*>(tag.data()), tag.size()});
    EXPECT_EQ(fault_of(token, ring), AccessFault::wrong_algorithm);
  }
}

TEST(Verifier, NeverTakesKeysFromTheHeader) {
  // The attacker signs with a key of her own and brings it along.
  const auto ring = ring_of(set_of({with(ec_jwk(), "kid", "k1")}));
  Json head = {{"alg", "ES256"},
               {"kid", "k1"},
               {"jwk", public_jwk(Algorithm::es256)},
               {"jku", "https://evil.example/keys"},
               {"x5u", "https://evil.example/cert"},
               {"x5c", {"MIIB"}}};
  EXPECT_EQ(fault_of(sign(Algorithm::es256, head.dump(), claims().dump()), ring),
            AccessFault::bad_signature);
  head["kid"] = "other";
  EXPECT_EQ(fault_of(sign(Algorithm::es256, head.dump(), claims().dump()), ring),
            AccessFault::unknown_key);
}

TEST(Verifier, LooksUpTheKidExactly) {
  for (auto kid : {"K1", "k1 ", "../k1", "k1' OR '1'='1", "k", "k11"}) {
    const Json head = {{"alg", "HS256"}, {"kid", kid}};
    Verifier verifier;
    const auto verified =
        verifier.verify(signed_token(claims(), head.dump().c_str()), hs256_ring(), now);
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().fault, AccessFault::unknown_key);
    EXPECT_EQ(verified.error().issuer, issuer_name);
    EXPECT_EQ(verified.error().kid, kid);
  }
  for (auto head : {R"({"alg":"HS256","kid":7})", R"({"alg":"HS256","kid":""})",
                    R"({"alg":"HS256","kid":"k1\u0000"})"})
    EXPECT_EQ(fault_of(signed_token(claims(), head)), AccessFault::malformed) << head;
}

TEST(Verifier, ServesATokenWithoutKidOnlyWhereThereIsNoChoice) {
  const char* bare = R"({"alg":"HS256"})";
  EXPECT_EQ(fault_of(signed_token(claims(), bare)), std::nullopt);
  const auto two =
      ring_of(set_of({with(secret_jwk(), "kid", "k1"), with(secret_jwk('x'), "kid", "k2")}));
  EXPECT_EQ(fault_of(signed_token(claims(), bare), two), AccessFault::unknown_key);
  EXPECT_EQ(fault_of(signed_token(claims()), two), std::nullopt);
  EXPECT_EQ(fault_of(signed_token(claims(), R"({"alg":"HS256","kid":"k2"})"), two),
            AccessFault::bad_signature);
}

TEST(Verifier, RefusesExtensionsAndOtherKindsOfToken) {
  for (auto extra : {R"("crit":[])", R"("crit":["exp"],"exp":1)", R"("b64":false)",
                     R"("b64":"true")", R"("typ":"logout+jwt")", R"("typ":"dpop+jwt")"})
    EXPECT_EQ(fault_of(signed_token(
                  claims(), (std::string{R"({"alg":"HS256","kid":"k1",)"} + extra + "}").c_str())),
              AccessFault::unsupported)
        << extra;
  for (auto type : {"JWT", "jwt", "at+jwt", "application/AT+JWT"})
    EXPECT_EQ(fault_of(signed_token(
                  claims(),
                  (std::string{R"({"alg":"HS256","kid":"k1","typ":")"} + type + "\"}").c_str())),
              std::nullopt)
        << type;
}

TEST(Verifier, NeedsEveryRequiredClaim) {
  for (auto name : {"iss", "aud", "sub", "exp"})
    EXPECT_EQ(fault_of_claims(without(claims(), {name})), AccessFault::claim_missing) << name;
  EXPECT_EQ(fault_of_claims(with(claims(), "iss", "https://id.example/")),
            AccessFault::unknown_issuer);
  EXPECT_EQ(fault_of(sign(Algorithm::hs256, header, "[]")), AccessFault::malformed);
  EXPECT_EQ(fault_of(sign(Algorithm::hs256, header, "Test")), AccessFault::malformed);
  std::string doubled = claims().dump();
  doubled.insert(1, R"("sub":"S-000124",)");
  EXPECT_EQ(fault_of(sign(Algorithm::hs256, header, doubled)), AccessFault::malformed);
}

TEST(Verifier, JudgesTimesToTheMillisecondWithAMinuteOfLeeway) {
  const Json payload = with(with(claims(), "nbf", now_s - 10), "iat", now_s);
  const WallTime expires = now + 600s;
  EXPECT_EQ(fault_of_claims(payload, expires + 60s - milliseconds{1}), std::nullopt);
  EXPECT_EQ(fault_of_claims(payload, expires + 60s), AccessFault::expired);
  EXPECT_EQ(fault_of_claims(payload, now - 60s), std::nullopt);
  EXPECT_EQ(fault_of_claims(payload, now - 60s - milliseconds{1}), AccessFault::not_yet);
  const Json later = with(claims(), "nbf", now_s + 60);
  EXPECT_EQ(fault_of_claims(later, now), std::nullopt);
  EXPECT_EQ(fault_of_claims(later, now - milliseconds{1}), AccessFault::not_yet);
  const Json fraction = with(claims(), "exp", static_cast<double>(now_s) + 0.25);
  EXPECT_EQ(fault_of_claims(fraction, now + 60s + milliseconds{249}), std::nullopt);
  EXPECT_EQ(fault_of_claims(fraction, now + 60s + milliseconds{250}), AccessFault::expired);
}

TEST(Verifier, RefusesAbsurdTimes) {
  for (auto name : {"exp", "nbf", "iat"}) {
    for (const Json& bad : {Json("1800000000"), Json(nullptr), Json(-1), Json(true),
                            Json(253402300800), Json::array({now_s}), Json(1e300)})
      EXPECT_EQ(fault_of_claims(with(claims(), name, bad)), AccessFault::claim_invalid)
          << name << bad;
  }
  std::string huge = claims().dump();
  huge.insert(1, R"("nbf":1e999999,)");
  EXPECT_EQ(fault_of(sign(Algorithm::hs256, header, huge)), AccessFault::claim_invalid);
  EXPECT_EQ(fault_of_claims(with(claims(), "exp", 253402300799)), std::nullopt);
}

TEST(Verifier, TakesAudienceAsTextOrList) {
  for (const Json& good : {Json("vesper"), Json{"other", "vesper"}, Json{"vesper"}})
    EXPECT_EQ(fault_of_claims(with(claims(), "aud", good)), std::nullopt) << good;
  for (const Json& wrong : {Json("Vesper"), Json{"other"}, Json::array(), Json("vesper ")})
    EXPECT_EQ(fault_of_claims(with(claims(), "aud", wrong)), AccessFault::wrong_audience) << wrong;
  for (const Json& bad : {Json(""), Json{"vesper", 1}, Json(nullptr), Json{{"vesper", 1}}})
    EXPECT_EQ(fault_of_claims(with(claims(), "aud", bad)), AccessFault::claim_invalid) << bad;
}

TEST(Verifier, RefusesNamesThatCannotBeStored) {
  for (auto name : {"sub", "site", "trial", "jti", "acr", "amr"}) {
    EXPECT_EQ(fault_of_claims(with(claims(), name, std::string(256, 'x'))), std::nullopt) << name;
    for (const Json& bad : {Json(std::string(257, 'x')), Json(""), Json(7), Json(nullptr),
                            Json(std::string("S\0", 2)), Json("S\n1"), Json("S\x7f")})
      EXPECT_EQ(fault_of_claims(with(claims(), name, bad)), AccessFault::claim_invalid)
          << name << bad;
  }
  EXPECT_EQ(fault_of_claims(with(claims(), "scope", {"patient"})), AccessFault::claim_invalid);
  EXPECT_EQ(fault_of_claims(with(claims(), "trial", {"A", 1})), AccessFault::claim_invalid);
}

TEST(Verifier, BoundsTheTokenAtItsEdge) {
  Json payload = with(claims(), "pad", "");
  payload["pad"] = std::string(6000 - payload.dump().size(), 'p');
  EXPECT_EQ(fault_of(signed_token(payload)), std::nullopt);
  const std::string longest(token_bytes_max, 'a');
  EXPECT_EQ(fault_of(longest), AccessFault::malformed);
  EXPECT_EQ(fault_of(longest + 'a'), AccessFault::too_long);
}

TEST(Verifier, SaysThatAnIssuersKeysAreNotAtHand) {
  KeyRing ring = hs256_ring();
  ring.issuers[0].keys = nullptr;
  EXPECT_EQ(fault_of(signed_token(claims()), ring), AccessFault::keys_unavailable);
  EXPECT_TRUE(is_retryable(AccessFault::keys_unavailable));
  EXPECT_FALSE(is_retryable(AccessFault::bad_signature));
}

TEST(Verifier, UsesEachIssuersOwnKeys) {
  KeyRing ring = hs256_ring();
  auto others = parse_key_set(set_of({with(secret_jwk('z'), "kid", "k1")}));
  ring.issuers.push_back({IssuerRules{.issuer = "https://other.example", .audience = "vesper"},
                          std::make_shared<const KeySet>(std::move(*others))});
  EXPECT_EQ(fault_of(signed_token(claims()), ring), std::nullopt);
  EXPECT_EQ(fault_of(signed_token(with(claims(), "iss", "https://other.example")), ring),
            AccessFault::bad_signature);
}

TEST(Bearer, IsOneTokenAfterTheScheme) {
  EXPECT_EQ(*parse_bearer("Bearer abc"), "abc");
  EXPECT_EQ(*parse_bearer("bEARER  abc"), "abc");
  EXPECT_EQ(parse_bearer("").error(), AccessFault::missing);
  for (auto bad : {"Bearer", "Bearer ", "Basic abc", "Bearerabc", "Bearer\tabc"})
    EXPECT_EQ(parse_bearer(bad).error(), AccessFault::malformed) << bad;
}

TEST(Challenge, NamesTheErrorOnlyWhenCredentialsCame) {
  EXPECT_EQ(challenge_of(AccessFault::missing), R"(Bearer realm="vesper")");
  EXPECT_EQ(challenge_of(AccessFault::expired),
            "Bearer realm=\"vesper\", error=\"invalid_token\", "
            "error_description=\"the token has expired\"");
}

}  // namespace
}  // namespace vesper::access
