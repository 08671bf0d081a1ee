#include "stages/access/verifier.hpp"

#include "base/encoding.hpp"
#include "base/json.hpp"

namespace vesper::access {

std::expected<const VerifyKey*, AccessFault> choose_key(const KeySet& keys,
                                                        const JwsHeader& header) {
  const VerifyKey* key = header.kid ? keys.find(*header.kid) : keys.only();
  if (key == nullptr) return std::unexpected(AccessFault::unknown_key);
  if (header.algorithm != name_of(key->algorithm()))
    return std::unexpected(AccessFault::wrong_algorithm);
  return key;
}

std::expected<const VerifyKey*, AccessFault> verify_signature(std::string_view token,
                                                              const KeySet& keys) {
  const auto parts = split_compact(token);
  if (!parts) return std::unexpected(parts.error());
  const auto header = parse_header(parts->header);
  if (!header) return std::unexpected(header.error());
  std::string payload, signature;
  if (!decode_base64url(parts->payload, payload) || !decode_base64url(parts->signature, signature))
    return std::unexpected(AccessFault::malformed);
  const auto key = choose_key(keys, *header);
  if (key && !(*key)->verify(parts->signing_input, signature))
    return std::unexpected(AccessFault::bad_signature);
  return key;
}

Verifier::Checked Verifier::read_header(std::string_view encoded) {
  if (encoded == header_text_) return {};
  header_text_.clear();
  auto header = parse_header(encoded);
  if (!header) return std::unexpected(header.error());
  if (!header->is_jwt) return std::unexpected(AccessFault::unsupported);
  header_ = std::move(*header);
  header_text_ = encoded;
  return {};
}

std::expected<const JsonValue*, AccessFault> Verifier::read_payload(std::string_view encoded) {
  const auto size = decode_base64url(encoded, payload_.data());
  if (!size) return std::unexpected(AccessFault::malformed);
  arena_.reset();
  const auto json = parse_json({payload_.data(), *size}, arena_);
  if (!json || !(*json)->is(JsonKind::object)) return std::unexpected(AccessFault::malformed);
  return *json;
}

Verifier::Checked Verifier::check_signature(const JwsParts& parts, const VerifyKey& key) {
  const auto size = decode_base64url(parts.signature, signature_.data());
  if (!size) return std::unexpected(AccessFault::malformed);
  if (!key.verify(parts.signing_input, {signature_.data(), *size}))
    return std::unexpected(AccessFault::bad_signature);
  return {};
}

std::expected<VerifiedToken, AccessRefusal> Verifier::verify(std::string_view token,
                                                             const KeyRing& ring, WallTime now,
                                                             ColdGate* gate) {
  const auto refuse = [](AccessFault fault) {
    return std::unexpected(AccessRefusal{fault, {}, {}});
  };
  const auto parts = split_compact(token);
  if (!parts) return refuse(parts.error());
  if (auto read = read_header(parts->header); !read) return refuse(read.error());
  const auto payload = read_payload(parts->payload);
  if (!payload) return refuse(payload.error());
  const Claims claims = collect_claims(**payload);
  if (claims.issuer == nullptr) return refuse(AccessFault::claim_missing);
  if (!claims.issuer->is(JsonKind::string) || claims.issuer->text.empty())
    return refuse(AccessFault::claim_invalid);
  const Issuer* issuer = ring.find(claims.issuer->text);
  if (issuer == nullptr) return refuse(AccessFault::unknown_issuer);

  const auto without_key = [&](AccessFault fault) {
    return std::unexpected(
        AccessRefusal{fault, issuer->rules.issuer, header_.kid.value_or(std::string{})});
  };
  if (issuer->keys == nullptr) return without_key(AccessFault::keys_unavailable);
  const auto key = choose_key(*issuer->keys, header_);
  if (!key) return without_key(key.error());
  const std::string_view claimed =
      claims.trial == nullptr ? std::string_view{} : claims.trial->text;
  if (gate != nullptr && !gate->admit((*key)->algorithm(), claimed))
    return refuse(AccessFault::busy);
  if (auto good = check_signature(*parts, **key); !good) return refuse(good.error());

  const auto validity = judge_times(claims, now);
  if (!validity) return refuse(validity.error());
  auto caller = std::make_shared<Caller>();
  if (auto good = judge_claims(**payload, claims, issuer->rules, *caller); !good)
    return refuse(good.error());
  caller->issuer = issuer->rules.issuer;
  caller->kid = (*key)->kid();
  caller->algorithm = name_of((*key)->algorithm());
  caller->expires_at = validity->until - leeway;
  return VerifiedToken{std::move(caller), *validity};
}

}  // namespace vesper::access
