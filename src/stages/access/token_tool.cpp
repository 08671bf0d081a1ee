#include "stages/access/token_tool.hpp"

#include <algorithm>
#include <utility>

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "stages/access/plain_text.hpp"
#include "stages/access/verifier.hpp"

namespace vesper::access {
namespace {

void put_name(std::string& json, std::string_view name) {
  if (json.size() > 1) json += ',';
  json += '"';
  append_json_escaped(json, name);
  json += "\":";
}

void put_text(std::string& json, std::string_view name, std::string_view text) {
  put_name(json, name);
  json += '"';
  append_json_escaped(json, text);
  json += '"';
}

void put_list(std::string& json, std::string_view name, const std::vector<std::string>& list) {
  put_name(json, name);
  json += '[';
  for (const std::string& text : list) {
    if (json.back() != '[') json += ',';
    json += '"';
    append_json_escaped(json, text);
    json += '"';
  }
  json += ']';
}

void put_seconds(std::string& json, std::string_view name, WallTime at) {
  put_name(json, name);
  json += std::to_string(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
}

bool names_are_sound(const MintRequest& request) {
  const auto sound = [](const std::string& name) {
    return name.empty() || (is_plain_text(name) && valid_utf8(name));
  };
  for (const std::string* name :
       {&request.issuer, &request.audience, &request.subject, &request.scope, &request.site,
        &request.token_id, &request.context})
    if (!sound(*name)) return false;
  return std::ranges::all_of(request.trials, sound);
}

// The text of any JSON value as it was sent, by its place in the text.
std::string_view raw_text(std::string_view text, const JsonValue& value) {
  switch (value.kind) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return value.boolean ? "true" : "false";
    case JsonKind::string: {  // from its quote to the one that ends it
      std::size_t end = value.at + 1;
      while (text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      return text.substr(value.at, end + 1 - value.at);
    }
    case JsonKind::number:
    case JsonKind::array:
    case JsonKind::object:
      return value.text;
  }
  std::unreachable();
}

// What a part of a token says, when it is a JSON object.
std::string json_part(std::string_view encoded) {
  std::string text;
  Arena arena;
  if (!decode_base64url(encoded, text)) return {};
  const auto json = parse_json(text, arena);
  return json && (*json)->is(JsonKind::object) ? text : std::string{};
}

std::string text_member(std::string_view json_text, std::string_view name) {
  Arena arena;
  const auto json = parse_json(json_text, arena);
  if (!json) return {};
  const JsonValue* member = (*json)->find(name);
  if (member != nullptr && member->is(JsonKind::array)) member = member->first;
  return member != nullptr && member->is(JsonKind::string) ? std::string{member->text}
                                                           : std::string{};
}

void judge_all(std::string_view token, KeySet keys, const InspectOptions& options,
               TokenReport& report) {
  KeyRing ring;
  IssuerRules rules{.issuer = options.issuer.value_or(text_member(report.claims, "iss")),
                    .audience = options.audience.value_or(text_member(report.claims, "aud")),
                    .grantable = {0xff},
                    .subject_claim = options.subject_claim};
  ring.issuers.push_back({std::move(rules), std::make_shared<const KeySet>(std::move(keys))});
  Verifier verifier;
  const auto verified = verifier.verify(token, ring, options.now);
  report.accepted = verified.has_value();
  report.reason = verified ? "accepted" : std::string{text_of(verified.error().fault)};
  if (!verified) return;
  report.algorithm = verified->caller->algorithm;
  report.kid = verified->caller->kid;
}

}  // namespace

std::string_view text_of(MintFault fault) {
  switch (fault) {
    case MintFault::claims_not_an_object:
      return "the further claims are not a JSON object";
    case MintFault::name_invalid:
      return "a claim is longer than 256 bytes, not UTF-8, or has a control character";
    case MintFault::too_long:
      return "the token would be longer than 8192 bytes";
  }
  std::unreachable();
}

std::expected<std::string, MintFault> mint(const MintRequest& request, const SigningKey& key) {
  if (!names_are_sound(request)) return std::unexpected(MintFault::name_invalid);
  Arena arena;
  std::string_view more = request.more_claims;
  if (more.empty()) more = "{}";
  const auto extra = parse_json(more, arena);
  if (!extra || !(*extra)->is(JsonKind::object))
    return std::unexpected(MintFault::claims_not_an_object);
  std::string json = "{";
  const auto ours = [&](std::string_view name) { return (*extra)->find(name) == nullptr; };
  const auto text = [&](std::string_view name, const std::string& value) {
    if (!value.empty() && ours(name)) put_text(json, name, value);
  };
  text("iss", request.issuer);
  text("aud", request.audience);
  text("sub", request.subject);
  if (request.trials.size() == 1) text("trial", request.trials.front());
  if (request.trials.size() > 1 && ours("trial")) put_list(json, "trial", request.trials);
  text("scope", request.scope);
  text("site", request.site);
  text("jti", request.token_id);
  text("acr", request.context);
  if (ours("iat")) put_seconds(json, "iat", request.issued_at);
  if (ours("exp")) put_seconds(json, "exp", request.issued_at + request.lifetime);
  if (request.not_before && ours("nbf")) put_seconds(json, "nbf", *request.not_before);
  for (const JsonValue& member : **extra) {
    put_name(json, member.name);
    json += raw_text(more, member);
  }
  json += '}';
  std::string token = key.token(json);
  if (token.size() > token_bytes_max) return std::unexpected(MintFault::too_long);
  return token;
}

TokenReport inspect_token(std::string_view token, std::string_view key_set,
                          const InspectOptions& options) {
  TokenReport report;
  if (const auto parts = split_compact(token)) {
    report.header = json_part(parts->header);
    report.claims = json_part(parts->payload);
  }
  auto keys = parse_key_set(key_set, options.algorithms);
  if (!keys) {
    report.reason = explain(keys.error());
    return report;
  }
  for (const RefusedKey& refused : keys->refused)
    report.notes.push_back("key '" + refused.kid +
                           "' is not used: " + std::string{text_of(refused.fault)});
  if (!options.signature_only) {
    judge_all(token, std::move(*keys), options, report);
    return report;
  }
  const auto key = verify_signature(token, *keys);
  report.accepted = key.has_value();
  report.reason = key ? "the signature verifies" : std::string{text_of(key.error())};
  if (!key) return report;
  report.algorithm = name_of((*key)->algorithm());
  report.kid = (*key)->kid();
  return report;
}

std::string to_json(const TokenReport& report) {
  std::string json = "{";
  put_name(json, "accepted");
  json += report.accepted ? "true" : "false";
  put_text(json, "reason", report.reason);
  if (!report.algorithm.empty()) put_text(json, "algorithm", report.algorithm);
  if (!report.kid.empty()) put_text(json, "kid", report.kid);
  for (const auto& [name, text] :
       {std::pair{"header", &report.header}, std::pair{"claims", &report.claims}})
    if (!text->empty()) {
      put_name(json, name);
      json += *text;
    }
  if (!report.notes.empty()) put_list(json, "notes", report.notes);
  json += '}';
  return json;
}

}  // namespace vesper::access
