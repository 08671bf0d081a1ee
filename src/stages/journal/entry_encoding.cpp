#include "stages/journal/entry_encoding.hpp"

#include <concepts>
#include <span>

#include "stages/journal/sha256.hpp"

namespace vesper {
namespace {

constexpr char format = 1, diary_kind = 0x44, event_kind = 0x41, conflict_kind = 0x43;
constexpr char rest_tag = 0x04, rest_kind = 0x52, entry_tag = 0x06;

template <std::unsigned_integral T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i)
    bytes[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  out.append(bytes, sizeof bytes);
}
void put_bytes(std::string& out, std::span<const std::uint8_t> bytes) {
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}
void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}
void put_time(std::string& out, WallTime time) {
  put(out, static_cast<std::uint64_t>(time.time_since_epoch().count()));
}

const Caller& caller_of(const JournalEntry& entry) {
  static const Caller nobody;
  return entry.caller == nullptr ? nobody : *entry.caller;
}

/// Takes big-endian fields off the front; `good` stays false after the first that is too short.
struct Cursor {
  std::string_view rest;
  bool good = true;

  std::string_view take(std::size_t size) {
    if (rest.size() < size) {
      good = false;
      return {};
    }
    const auto taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  }
  template <std::unsigned_integral T>
  T number() {
    std::uint64_t value = 0;
    for (const char c : take(sizeof(T))) value = (value << 8) | static_cast<std::uint8_t>(c);
    return static_cast<T>(value);
  }
  std::string_view text() { return take(number<std::uint32_t>()); }
};

}  // namespace

void encode_head(const JournalEntry& entry, std::string& out) {
  const Caller& caller = caller_of(entry);
  out.push_back(format);
  out.push_back(diary_kind);
  put_bytes(out, entry.submission_id.bytes);
  put_bytes(out, entry.delivery_id.bytes);
  put_bytes(out, entry.content_hash);
  put_time(out, entry.received_at);
  out.push_back(static_cast<char>(entry.disposition));
  out.push_back(static_cast<char>(entry.held_reason));
  out.push_back(static_cast<char>(entry.flags));
  out.push_back(entry.amends ? 1 : 0);
  put_bytes(out, entry.amends.value_or(Uuid{}).bytes);
  put_text(out, entry.subject_id.reveal());
  put_text(out, entry.authored.reveal());
  put_text(out, caller.jti);
  put_text(out, caller.subject);
}

void encode_rest(const JournalEntry& entry, std::string& out) {
  const Caller& caller = caller_of(entry);
  out.push_back(rest_tag);
  out.push_back(rest_kind);
  out.push_back(static_cast<char>(entry.held_reason));
  out.push_back(entry.amends ? 1 : 0);
  put_bytes(out, entry.amends.value_or(Uuid{}).bytes);
  put_text(out, entry.subject_id.reveal());
  put_text(out, entry.authored.reveal());
  put_text(out, caller.jti);
  put_text(out, caller.subject);
}

Hash entry_digest(const ReceiptFacts& facts) {
  std::uint8_t numbers[10];
  const auto received = static_cast<std::uint64_t>(facts.received_at.time_since_epoch().count());
  for (std::size_t i = 0; i < 8; ++i)
    numbers[i] = static_cast<std::uint8_t>(received >> (8 * (7 - i)));
  numbers[8] = static_cast<std::uint8_t>(facts.disposition);
  numbers[9] = facts.flags;
  return Sha256()
      .update(std::string_view{&entry_tag, 1})
      .update(facts.submission_id.bytes)
      .update(facts.delivery_id.bytes)
      .update(facts.content_hash)
      .update(numbers)
      .update(facts.rest)
      .finish();
}

void encode_conflict(const ConflictFacts& conflict, std::string& out) {
  out.push_back(format);
  out.push_back(conflict_kind);
  put(out, conflict.position);
  put_time(out, conflict.received_at);
  put_bytes(out, conflict.content_hash);
  put_text(out, conflict.jti);
  put_text(out, conflict.caller_subject);
  out.append(conflict.context);
}

void encode_context(const JournalEntry& entry, std::string& out) {
  const Caller& caller = caller_of(entry);
  const std::size_t destinations = entry.destinations == nullptr ? 0 : entry.destinations->size();
  out.push_back(format);
  out.push_back(static_cast<char>(caller.scopes.bits));
  out.push_back(static_cast<char>(entry.media));
  put(out, entry.mapper_version);
  put(out, entry.trial_revision);
  put(out, static_cast<std::uint16_t>(destinations));
  put_text(out, entry.trial_id);
  put_text(out, entry.form_id);
  put_text(out, entry.form_version);
  put_text(out, entry.site);
  put_text(out, entry.app_version);
  put_text(out, caller.issuer);
  put_text(out, caller.kid);
  put_text(out, caller.algorithm);
  put_text(out, caller.acr);
  put_text(out, caller.amr);
  for (std::size_t i = 0; i < destinations; ++i) put_text(out, (*entry.destinations)[i]);
}

void encode_event(const AuditEvent& event, const Hash& attachment, std::string& out) {
  out.push_back(format);
  out.push_back(event_kind);
  put_time(out, event.at);
  put_bytes(out, attachment);
  put_text(out, event.action);
  put_text(out, event.actor);
  put_text(out, event.target);
  put_text(out, event.reason);
}

bool decode_context(std::string_view bytes, EntryContext& out) {
  Cursor cursor{bytes};
  if (cursor.number<std::uint8_t>() != format) return false;
  out.scopes.bits = cursor.number<std::uint8_t>();
  out.media = static_cast<MediaType>(cursor.number<std::uint8_t>());
  out.mapper_version = cursor.number<std::uint16_t>();
  out.trial_revision = cursor.number<std::uint64_t>();
  const auto destinations = cursor.number<std::uint16_t>();
  for (auto* text : {&out.trial_id, &out.form_id, &out.form_version, &out.site, &out.app_version,
                     &out.issuer, &out.kid, &out.algorithm, &out.acr, &out.amr})
    *text = cursor.text();
  out.destinations.clear();
  for (std::size_t i = 0; i < destinations && cursor.good; ++i)
    out.destinations.push_back(cursor.text());
  return cursor.good && cursor.rest.empty();
}

}  // namespace vesper
