#include "stages/journal/receipt_check.hpp"

#include <fmt/format.h>

#include <bit>

#include "stages/journal/chain.hpp"
#include "stages/journal/entry_encoding.hpp"
#include "stages/journal/proof_members.hpp"
#include "stages/journal/receipt.hpp"
#include "stages/journal/receipt_key.hpp"
#include "stages/journal/sha256.hpp"

namespace vesper {
namespace {

constexpr std::size_t path_steps_max = 32;

Disposition disposition_of(ProofMembers& members) {
  const auto written = members.text("disposition");
  for (const auto one : {Disposition::accepted, Disposition::flagged, Disposition::held})
    if (name_of(one) == written) return one;
  members.complain("disposition", "is not one that receipts have");
  return Disposition::accepted;
}

std::uint8_t flags_of(const JsonValue& object, ProofMembers& members) {
  const JsonValue* list = object.find("flags");
  std::uint8_t flags = 0;
  if (list == nullptr || !list->is(JsonKind::array)) members.complain("flags", "is not a list");
  for (std::size_t i = 0; list != nullptr && i < 8; ++i) {
    const auto bit = static_cast<std::uint8_t>(1u << i);
    for (const JsonValue& one : *list)
      if (one.is(JsonKind::string) && !one.text.empty() && one.text == flag_name(bit)) flags |= bit;
  }
  if (list != nullptr && list->size != static_cast<std::uint32_t>(std::popcount(flags)))
    members.complain("flags", "has one that receipts have not, or one twice");
  return flags;
}

void read_path(const JsonValue& proof, ProofMembers& members, ShownReceipt& receipt) {
  const JsonValue* list = proof.find("path");
  if (list == nullptr || !list->is(JsonKind::array) || list->size > path_steps_max) {
    members.complain("path", "is not a list of at most 32 digests");
    return;
  }
  for (const JsonValue& step : *list) {
    Hash hash{};
    if (!step.is(JsonKind::string) || !ProofMembers::read_hex(step.text, hash))
      members.complain("path", "has a step that is no digest");
    receipt.path.push_back(hash);
  }
}

std::string read_proof(const JsonValue& proof, ShownReceipt& receipt) {
  if (!proof.is(JsonKind::object)) return "proof: is neither null nor an object";
  ProofMembers members(proof, "proof");
  if (members.text("format") != proof_format)
    return fmt::format("proof: member format is not {}: a newer program may know it", proof_format);
  receipt.signed_one = true;
  receipt.facts.salt = members.hex<16>("salt");
  receipt.facts.rest = members.hex<32>("rest");
  read_path(proof, members, receipt);
  receipt.seal.count = static_cast<std::uint32_t>(members.number("count", UINT32_MAX));
  receipt.seal.first_position = members.number("firstPosition");
  receipt.seal.committed_at = members.time("committedAt");
  receipt.seal.previous = members.hex<32>("previous");
  receipt.seal.number = receipt.facts.group;
  receipt.algorithm = members.text("alg");
  receipt.kid = members.text("kid");
  receipt.signature = members.signature("signature");
  return members.fault;
}

}  // namespace

std::expected<ShownReceipt, std::string> read_receipt(std::string_view text) {
  Arena arena;
  const auto parsed = parse_json(text, arena);
  if (!parsed) return std::unexpected(fmt::format("not JSON: {}", parsed.error().reason));
  const JsonValue* object = *parsed;
  if (const JsonValue* inner = object->find("receipt")) object = inner;
  if (!object->is(JsonKind::object)) return std::unexpected("not a receipt: no JSON object");
  const JsonValue* chain = object->find("chain");
  const JsonValue* proof = object->find("proof");
  if (chain == nullptr || !chain->is(JsonKind::object) || proof == nullptr)
    return std::unexpected("not a receipt: it has no member chain or no member proof");
  ShownReceipt receipt;
  ReceiptFacts& facts = receipt.facts;
  ProofMembers members(*object, "receipt");
  facts.submission_id = members.uuid("submissionId");
  facts.delivery_id = members.uuid("deliveryId");
  facts.received_at = members.time("receivedAt");
  facts.content_hash = members.hash("contentHash");
  facts.disposition = disposition_of(members);
  facts.flags = flags_of(*object, members);
  ProofMembers place(*chain, "chain");
  facts.chain_id = place.uuid("id");
  facts.group = place.number("group");
  facts.index = static_cast<std::uint32_t>(place.number("index", UINT32_MAX));
  facts.group_hash = place.hash("hash");
  std::string fault = members.fault.empty() ? place.fault : members.fault;
  if (fault.empty() && !proof->is(JsonKind::null)) fault = read_proof(*proof, receipt);
  if (!fault.empty()) return std::unexpected(std::move(fault));
  facts.position = receipt.seal.first_position + facts.index;
  return receipt;
}

std::expected<const ReceiptKeyFacts*, std::string> key_for(std::span<const ReceiptKeyFacts> keys,
                                                           std::string_view kid,
                                                           std::string_view algorithm,
                                                           std::uint64_t group) {
  const auto key = std::ranges::find(keys, kid, &ReceiptKeyFacts::kid);
  if (key == keys.end())
    return std::unexpected(fmt::format("the key {} that signed it is not among the keys", kid));
  if (receipt_key_id(*key) != kid)
    return std::unexpected(fmt::format("key {}: its kid is not the thumbprint of its bytes", kid));
  if (key->algorithm != algorithm)
    return std::unexpected(fmt::format("key {} is for {}, not {}", kid, key->algorithm, algorithm));
  if (group < key->first_group || (key->last_group != 0 && group > key->last_group))
    return std::unexpected(fmt::format("key {} was not in force at group {}", kid, group));
  return &*key;
}

std::expected<void, std::string> check_receipt(const ShownReceipt& receipt,
                                               std::span<const ReceiptKeyFacts> keys,
                                               std::optional<std::string_view> source) {
  const ReceiptFacts& facts = receipt.facts;
  if (source && content_hash(*source) != facts.content_hash)
    return std::unexpected("the source is not what the receipt is for: its content hash differs");
  if (!receipt.signed_one)
    return std::unexpected(
        "the receipt has no proof: its diary was stored before receipts were signed");
  const auto key = key_for(keys, receipt.kid, receipt.algorithm, facts.group);
  if (!key) return std::unexpected(key.error());
  const Hash leaf = chain_leaf(facts.salt, entry_digest(facts));
  const auto root = root_of_path(leaf, facts.index, receipt.seal.count, receipt.path);
  if (!root)
    return std::unexpected(fmt::format("the path does not fit entry {} of a group of {}",
                                       facts.index, receipt.seal.count));
  GroupSeal seal = receipt.seal;
  seal.root = *root;
  if (chain_link(seal) != facts.group_hash)
    return std::unexpected(
        "what the receipt says does not lead to the link it states: a member was changed");
  if (!verify_link(**key, {facts.chain_id, facts.group, facts.group_hash}, receipt.signature))
    return std::unexpected("the signature is not the key's over this chain, group and link");
  return {};
}

}  // namespace vesper
