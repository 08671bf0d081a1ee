#include "stages/access/key_set.hpp"

#include <algorithm>

#include "stages/access/key_material.hpp"
#include "stages/access/plain_text.hpp"

namespace vesper::access {
namespace {

constexpr std::size_t set_bytes_max = 256 * 1024, keys_max = 64;

// nullptr when the member is absent or not a string.
const JsonValue* string_member(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.find(name);
  return member != nullptr && member->is(JsonKind::string) ? member : nullptr;
}

bool is_symmetric(const JsonValue& jwk) {
  const JsonValue* type = string_member(jwk, "kty");
  return type != nullptr && type->text == "oct";
}

// Whole-set rules look at every key, also at those that would be refused one by one: a set that an
// attacker or an accident has added to is not trusted in part.
std::expected<void, KeySetFault> check_whole(const std::vector<const JsonValue*>& keys) {
  std::vector<std::string_view> kids;
  std::size_t symmetric = 0;
  for (const JsonValue* jwk : keys) {
    if (!jwk->is(JsonKind::object)) continue;
    symmetric += is_symmetric(*jwk) ? 1 : 0;
    const JsonValue* kid = string_member(*jwk, "kid");
    kids.push_back(kid ? kid->text : std::string_view{});
  }
  if (symmetric != 0 && symmetric != kids.size())
    return std::unexpected(KeySetFault::mixed_symmetry);
  std::ranges::sort(kids);
  if (std::ranges::adjacent_find(kids) != kids.end())
    return std::unexpected(KeySetFault::repeated_kid);
  return {};
}

std::expected<VerifyKey, KeyFault> verify_key(const JsonValue& jwk, bool alone,
                                              std::span<const BoundAlgorithm> table) {
  if (!jwk.is(JsonKind::object)) return std::unexpected(KeyFault::not_an_object);
  const auto kid = kid_of(jwk);
  if (!kid) return std::unexpected(kid.error());
  if (kid->empty() && !alone) return std::unexpected(KeyFault::kid_missing);
  if (auto may = permitted(jwk, "verify"); !may) return std::unexpected(may.error());
  const auto algorithm = bound_algorithm(jwk, *kid, table);
  if (!algorithm) return std::unexpected(algorithm.error());
  if (*algorithm == Algorithm::hs256) {
    auto secret = secret_material(jwk);
    if (!secret) return std::unexpected(secret.error());
    return VerifyKey{std::string{*kid}, HmacKey{*secret}};
  }
  auto key = key_material(jwk, *algorithm, KeyHalf::public_half);
  if (!key) return std::unexpected(key.error());
  return VerifyKey{std::string{*kid}, *algorithm, std::move(*key)};
}

// The algorithms that a kty and crv can serve; nothing for types that are not enabled.
std::expected<Algorithm, KeyFault> natural_algorithm(const JsonValue& jwk) {
  const JsonValue* type = string_member(jwk, "kty");
  if (type == nullptr) return std::unexpected(KeyFault::type_unknown);
  if (type->text == "oct") return Algorithm::hs256;
  if (type->text == "RSA") return Algorithm::rs256;
  const JsonValue* curve = string_member(jwk, "crv");
  if (type->text != "EC" && type->text != "OKP") return std::unexpected(KeyFault::type_unknown);
  if (type->text == "EC" && curve && curve->text == "P-256") return Algorithm::es256;
  if (type->text == "OKP" && curve && curve->text == "Ed25519") return Algorithm::eddsa;
  return std::unexpected(KeyFault::algorithm_mismatch);
}

}  // namespace

std::expected<std::string_view, KeyFault> kid_of(const JsonValue& jwk) {
  const JsonValue* kid = jwk.find("kid");
  if (kid == nullptr) return std::string_view{};
  if (!kid->is(JsonKind::string) || !is_plain_text(kid->text))
    return std::unexpected(KeyFault::kid_invalid);
  return kid->text;
}

std::expected<void, KeyFault> permitted(const JsonValue& jwk, std::string_view operation) {
  if (const JsonValue* use = jwk.find("use");
      use != nullptr && (!use->is(JsonKind::string) || use->text != "sig"))
    return std::unexpected(KeyFault::use_not_signature);
  const JsonValue* operations = jwk.find("key_ops");
  if (operations == nullptr) return {};
  if (operations->is(JsonKind::array))
    for (const JsonValue& named : *operations)
      if (named.is(JsonKind::string) && named.text == operation) return {};
  return std::unexpected(KeyFault::verify_not_permitted);
}

std::expected<Algorithm, KeyFault> bound_algorithm(const JsonValue& jwk, std::string_view kid,
                                                   std::span<const BoundAlgorithm> table) {
  const auto natural = natural_algorithm(jwk);
  if (!natural) return natural;
  const auto row =
      std::ranges::find_if(table, [&](const BoundAlgorithm& b) { return b.kid == kid; });
  const JsonValue* stated = jwk.find("alg");
  if (stated == nullptr && row == table.end()) return std::unexpected(KeyFault::algorithm_missing);
  if (stated != nullptr) {
    const auto algorithm =
        stated->is(JsonKind::string) ? algorithm_named(stated->text) : std::nullopt;
    if (!algorithm) return std::unexpected(KeyFault::algorithm_not_enabled);
    if (*algorithm != *natural) return std::unexpected(KeyFault::algorithm_mismatch);
  }
  if (row != table.end() && row->algorithm != *natural)
    return std::unexpected(KeyFault::algorithm_mismatch);
  return natural;
}

std::expected<std::vector<const JsonValue*>, KeySetFault> list_keys(std::string_view text,
                                                                    Arena& arena) {
  if (text.size() > set_bytes_max) return std::unexpected(KeySetFault::too_large);
  const auto json = parse_json(text, arena);
  if (!json) return std::unexpected(KeySetFault::not_json);
  if (!(*json)->is(JsonKind::object)) return std::unexpected(KeySetFault::not_a_key_set);
  const JsonValue* list = (*json)->find("keys");
  const bool single = (*json)->find("kty") != nullptr;
  if (list == nullptr && single) return std::vector<const JsonValue*>{*json};
  if (list == nullptr || single || !list->is(JsonKind::array))
    return std::unexpected(KeySetFault::not_a_key_set);
  if (list->size > keys_max) return std::unexpected(KeySetFault::too_many_keys);
  std::vector<const JsonValue*> keys;
  for (const JsonValue& jwk : *list) keys.push_back(&jwk);
  return keys;
}

std::expected<KeySet, KeySetRefusal> parse_key_set(std::string_view text,
                                                   std::span<const BoundAlgorithm> table) {
  Arena arena;
  const auto listed = list_keys(text, arena);
  if (!listed) return std::unexpected(KeySetRefusal{listed.error(), {}});
  if (auto sound = check_whole(*listed); !sound)
    return std::unexpected(KeySetRefusal{sound.error(), {}});
  KeySet set;
  for (const JsonValue* jwk : *listed) {
    auto key = verify_key(*jwk, listed->size() == 1, table);
    const bool has_kid = jwk->is(JsonKind::object) && kid_of(*jwk).has_value();
    const std::string kid{has_kid ? *kid_of(*jwk) : std::string_view{}};
    set.demonstration |= kid.starts_with(demonstration_prefix);
    set.has_private |= !is_symmetric(*jwk) && jwk->find("d") != nullptr;
    if (key)
      set.keys.push_back(std::move(*key));
    else
      set.refused.push_back({kid, key.error()});
  }
  if (set.keys.empty())
    return std::unexpected(KeySetRefusal{KeySetFault::no_usable_key, std::move(set.refused)});
  std::ranges::sort(set.keys, {}, &VerifyKey::kid);
  return set;
}

const VerifyKey* KeySet::find(std::string_view kid) const {
  const auto it = std::ranges::lower_bound(
      keys, kid, {}, [](const VerifyKey& key) { return std::string_view{key.kid()}; });
  return it != keys.end() && it->kid() == kid && !kid.empty() ? &*it : nullptr;
}

}  // namespace vesper::access
