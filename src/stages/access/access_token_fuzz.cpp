#include <cstddef>
#include <cstdint>

#include "base/encoding.hpp"
#include "base/ensure.hpp"
#include "stages/access/signing_key.hpp"
#include "stages/access/verifier.hpp"

// Two ways in: the bytes as a token, which must not verify; and the bytes as the payload of a
// soundly signed token, so that the claims are reached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vesper;
  using namespace vesper::access;
  static const std::string jwk =
      R"({"kty":"oct","alg":"HS256","k":")" + encode_base64url(std::string(32, 'k')) + "\"}";
  static const auto signer = SigningKey::from_jwk(jwk);
  static const KeyRing ring = [] {
    KeyRing made;
    made.issuers.push_back({IssuerRules{.issuer = "i", .audience = "a", .grantable = {31}},
                            std::make_shared<const KeySet>(std::move(*parse_key_set(jwk)))});
    return made;
  }();
  static Verifier verifier;
  const WallTime now{std::chrono::seconds{1'800'000'000}};
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  ensure(!verifier.verify(input, ring, now));
  const auto verified = verifier.verify(signer->token(input), ring, now);
  if (verified) {
    ensure(!verified->caller->subject.empty() && verified->validity.holds(now));
    ensure(std::ranges::is_sorted(verified->caller->trials));
  }
  return 0;
}
