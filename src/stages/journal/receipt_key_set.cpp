#include "stages/journal/receipt_key_set.hpp"

#include <fmt/format.h>

#include "stages/journal/proof_members.hpp"
#include "stages/journal/receipt_key.hpp"

namespace vesper {
namespace {

constexpr std::size_t coordinate_bytes = 32;

std::string coordinate(const JsonValue& jwk, std::string_view name) {
  const JsonValue* member = jwk.find(name);
  std::string bytes;
  if (member == nullptr || !member->is(JsonKind::string) ||
      !decode_base64url(member->text, bytes) || bytes.size() != coordinate_bytes)
    return {};
  return bytes;
}

bool says(const JsonValue& jwk, std::string_view name, std::string_view value) {
  const JsonValue* member = jwk.find(name);
  return member != nullptr && member->is(JsonKind::string) && member->text == value;
}

}  // namespace

std::string write_key_set(std::span<const ReceiptKeyFacts> keys, Uuid chain) {
  std::string out = R"({"keys":[)";
  for (const ReceiptKeyFacts& key : keys) {
    if (&key != &keys.front()) out += ',';
    const std::string_view bytes = key.public_key;
    const bool ed = bytes.size() == coordinate_bytes;
    out += ed ? R"({"kty":"OKP","crv":"Ed25519","x":")" : R"({"kty":"EC","crv":"P-256","x":")";
    out += encode_base64url(bytes.substr(0, coordinate_bytes));
    if (!ed) out.append(R"(","y":")").append(encode_base64url(bytes.substr(coordinate_bytes)));
    fmt::format_to(std::back_inserter(out),
                   R"(","kid":"{}","alg":"{}","use":"sig","chain":"{}","firstGroup":{})", key.kid,
                   key.algorithm, to_string(chain), key.first_group);
    if (key.last_group != 0)
      fmt::format_to(std::back_inserter(out), R"(,"lastGroup":{})", key.last_group);
    out += '}';
  }
  return out + "]}";
}

std::expected<std::vector<ReceiptKeyFacts>, std::string> read_key_set(std::string_view text) {
  Arena arena;
  const auto parsed = parse_json(text, arena);
  if (!parsed) return std::unexpected(fmt::format("not JSON: {}", parsed.error().reason));
  const JsonValue* list = (*parsed)->find("keys");
  if (list == nullptr || !list->is(JsonKind::array))
    return std::unexpected("not a JWK set: it has no list of keys");
  std::vector<ReceiptKeyFacts> keys;
  for (const JsonValue& jwk : *list) {
    ReceiptKeyFacts key;
    key.public_key = coordinate(jwk, "x");
    if (says(jwk, "kty", "OKP") && says(jwk, "crv", "Ed25519")) {
      key.algorithm = "EdDSA";
    } else if (says(jwk, "kty", "EC") && says(jwk, "crv", "P-256")) {
      key.algorithm = "ES256";
      key.public_key += coordinate(jwk, "y");
    }
    key.kid = receipt_key_id(key);
    if (key.kid.empty()) continue;
    ProofMembers members(jwk, "key " + key.kid);
    if (jwk.find("kid") != nullptr && members.text("kid") != key.kid)
      return std::unexpected(
          fmt::format("key {}: its kid is not the thumbprint of its bytes", members.text("kid")));
    if (jwk.find("firstGroup") != nullptr) key.first_group = members.number("firstGroup");
    if (jwk.find("lastGroup") != nullptr) key.last_group = members.number("lastGroup");
    if (!members.fault.empty()) return std::unexpected(members.fault);
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace vesper
