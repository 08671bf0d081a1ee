#pragma once
#include <string>
#include <string_view>

#include "model/journal_rules.hpp"

namespace vesper {

/// The canonical bytes of a journal entry, which its leaf in the audit chain is made of.
///   Shape: format byte, kind byte, fixed fields, then texts with a 32-bit length; all numbers
///          big-endian. The source bytes are in it by their hash.
///          Format 1: the entry's digest = H(head || context).
///          Format 2: digest = H(entry), rest = H(private || context): whoever has a receipt and
///          the rest computes the leaf without learning what the receipt does not show.
///            entry   06 submission(16) delivery(16) content_hash(32) received_ms(8)
///                    disposition(1) flags(1) rest(32)
///            private 04 52 held_reason(1) amends?(1) amends(16)
///                    subject authored jti caller_subject
///            head    01 44 submission(16) delivery(16) content_hash(32) received_ms(8)
///                    disposition(1) held_reason(1) flags(1) amends?(1) amends(16)
///                    subject authored jti caller_subject
///            context 01 scopes(1) media(1) mapper(2) revision(8) destinations(2)
///                    trial form version site app issuer kid algorithm acr amr destination...
///            event   01 41 at_ms(8) attachment(32) action actor target reason
///            conflict 01 43 position(8) received_ms(8) content_hash(32)
///                    jti caller_subject, then its context as it is
///   Why:   a format is never changed, only added under a new first byte: old leaves must verify.
void encode_head(const JournalEntry& entry, std::string& out);
void encode_rest(const JournalEntry& entry, std::string& out);
[[nodiscard]] Hash entry_digest(const ReceiptFacts& facts);
void encode_conflict(const ConflictFacts& conflict, std::string& out);
void encode_context(const JournalEntry& entry, std::string& out);
void encode_event(const AuditEvent& event, const Hash& attachment, std::string& out);

/// Views into `bytes`.
///   Errors: false when `bytes` are not exactly one context.
[[nodiscard]] bool decode_context(std::string_view bytes, EntryContext& out);

}  // namespace vesper
