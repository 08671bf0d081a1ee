#include "stages/journal/receipt.hpp"

#include <bit>
#include <charconv>
#include <utility>

#include "base/encoding.hpp"
#include "base/wall_time.hpp"
#include "model/group_proof.hpp"
#include "stages/journal/chain.hpp"

namespace vesper {
namespace {

void append_uuid(std::string& out, const Uuid& id) {
  char text[uuid_chars];
  format_uuid(id, text);
  out.append(text, uuid_chars);
}

void append_number(std::string& out, std::uint64_t number) {
  char text[20];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  out.append(text, end);
}

constexpr std::pair<Flag, std::string_view> flag_names[] = {
    {Flag::late, "late"},
    {Flag::duplicate_in_window, "duplicate-in-window"},
    {Flag::clock_skew, "clock-skew"}};

void append_flags(std::string& out, std::uint8_t flags) {
  bool first = true;
  for (const auto& [flag, name] : flag_names) {
    if ((flags & static_cast<std::uint8_t>(flag)) == 0) continue;
    out.append(first ? "\"" : ",\"").append(name).push_back('"');
    first = false;
  }
}

void append_proof(std::string& out, const ReceiptFacts& facts, const GroupProof& proof) {
  out.reserve(out.size() + 320 + proof.text.size() + 67 * std::bit_width(proof.seal.count));
  out.append(R"({"format":")").append(proof_format);
  out.append(R"(","salt":")");
  append_hex(out, facts.salt);
  out.append(R"(","rest":")");
  append_hex(out, facts.rest);
  out.append(R"(","path":[)");
  bool first = true;
  visit_path(proof.nodes, facts.index, proof.seal.count, [&](const Hash& step) {
    out.append(first ? "\"" : ",\"");
    append_hex(out, step);
    out.push_back('"');
    first = false;
  });
  out.append("],").append(proof.text);
}

}  // namespace

void append_hash(std::string& out, const Hash& hash) {
  out.append("sha256:");
  append_hex(out, hash);
}

std::string_view name_of(Disposition disposition) {
  switch (disposition) {
    case Disposition::accepted:
      return "accepted";
    case Disposition::flagged:
      return "flagged";
    case Disposition::held:
      return "held";
  }
  std::unreachable();
}

std::string_view flag_name(std::uint8_t bit) {
  for (const auto& [flag, name] : flag_names)
    if (static_cast<std::uint8_t>(flag) == bit) return name;
  return {};
}

std::string_view name_of(HeldReason reason) {
  switch (reason) {
    case HeldReason::none:
      return "";
    case HeldReason::form_unknown:
      return "form-unknown";
    case HeldReason::trial_closed:
      return "trial-closed";
    case HeldReason::form_invalid:
      return "form-invalid";
  }
  std::unreachable();
}

void write_receipt(std::string& out, const ReceiptFacts& facts) {
  char received[wall_time_chars];
  format_wall_time(facts.received_at, received);
  out.append(R"({"submissionId":")");
  append_uuid(out, facts.submission_id);
  out.append(R"(","deliveryId":")");
  append_uuid(out, facts.delivery_id);
  out.append(R"(","receivedAt":")").append(received, wall_time_chars);
  out.append(R"(","contentHash":")");
  append_hash(out, facts.content_hash);
  out.append(R"(","disposition":")").append(name_of(facts.disposition));
  out.append(R"(","flags":[)");
  append_flags(out, facts.flags);
  out.append(R"(],"chain":{"id":")");
  append_uuid(out, facts.chain_id);
  out.append(R"(","group":)");
  append_number(out, facts.group);
  out.append(R"(,"index":)");
  append_number(out, facts.index);
  out.append(R"(,"hash":")");
  append_hash(out, facts.group_hash);
  out.append(R"("},"proof":)");
  if (facts.proof == nullptr)
    out.append("null");
  else
    append_proof(out, facts, *facts.proof);
  out.push_back('}');
}

void write_group_proof(const GroupProof& proof, std::string& out) {
  char committed[wall_time_chars];
  format_wall_time(proof.seal.committed_at, committed);
  out.append(R"("count":)");
  append_number(out, proof.seal.count);
  out.append(R"(,"firstPosition":)");
  append_number(out, proof.seal.first_position);
  out.append(R"(,"committedAt":")").append(committed, wall_time_chars);
  out.append(R"(","previous":")");
  append_hex(out, proof.seal.previous);
  out.append(R"(","alg":")").append(proof.key->algorithm);
  out.append(R"(","kid":")").append(proof.key->kid);
  out.append(R"(","signature":")");
  out.append(encode_base64url(
      {reinterpret_cast<const char*>(proof.signature.data()), proof.signature.size()}));
  out.append("\"}");
}

}  // namespace vesper
