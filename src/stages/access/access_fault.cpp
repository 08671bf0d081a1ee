#include "stages/access/access_fault.hpp"

#include <utility>

namespace vesper::access {
namespace {

// Each fault once: its words, and the same words inside a challenge.
#define VESPER_ACCESS_FAULTS(X)                                                              \
  X(malformed, "the credentials are not one Bearer token in compact JWS form")               \
  X(too_long, "the token is longer than 8192 bytes")                                         \
  X(unsupported, "the token has a critical extension or is of another type than a JWT")      \
  X(unknown_issuer, "the token's issuer is not one this server trusts")                      \
  X(keys_unavailable, "the issuer's keys are not available at the moment")                   \
  X(busy, "too many new tokens at once; this one was not looked at")                         \
  X(unknown_key, "the token's key is not one of its issuer's")                               \
  X(wrong_algorithm, "the token's alg is not the one its key is for")                        \
  X(bad_signature, "the token's signature does not verify")                                  \
  X(expired, "the token has expired")                                                        \
  X(not_yet, "the token is not valid yet")                                                   \
  X(wrong_audience, "the token is for another audience")                                     \
  X(claim_missing, "the token lacks a required claim (iss, aud, sub, exp or the subject's)") \
  X(claim_invalid, "a claim of the token has the wrong type, length or characters")

}  // namespace

std::string_view text_of(AccessFault fault) {
  switch (fault) {
    case AccessFault::missing:
      return "an Authorization header with a Bearer token is needed";
#define X(name, text)     \
  case AccessFault::name: \
    return text;
      VESPER_ACCESS_FAULTS(X)
#undef X
  }
  std::unreachable();
}

std::string_view challenge_of(AccessFault fault) {
  switch (fault) {
    case AccessFault::missing:
      return R"(Bearer realm="vesper")";
#define X(name, text)     \
  case AccessFault::name: \
    return "Bearer realm=\"vesper\", error=\"invalid_token\", error_description=\"" text "\"";
      VESPER_ACCESS_FAULTS(X)
#undef X
  }
  std::unreachable();
}

}  // namespace vesper::access
