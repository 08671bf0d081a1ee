#include "stages/journal/receipt.hpp"

#include <charconv>
#include <utility>

#include "base/encoding.hpp"
#include "base/wall_time.hpp"

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

void append_flags(std::string& out, std::uint8_t flags) {
  constexpr std::pair<Flag, std::string_view> names[] = {
      {Flag::late, "late"},
      {Flag::duplicate_in_window, "duplicate-in-window"},
      {Flag::clock_skew, "clock-skew"}};
  bool first = true;
  for (const auto& [flag, name] : names) {
    if ((flags & static_cast<std::uint8_t>(flag)) == 0) continue;
    out.append(first ? "\"" : ",\"").append(name).push_back('"');
    first = false;
  }
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
  out.append(R"("},"proof":null})");
}

}  // namespace vesper
