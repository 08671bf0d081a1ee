#include "io/sqlite/prepared_entry.hpp"

namespace vesper {

void PreparedEntry::assign(const JournalEntry& entry, const JournalRules& rules) {
  constexpr std::size_t kept_bytes_max = 4096;
  thread_local std::string encoding;
  encoding.clear();
  rules.encode_rest(entry, encoding);
  const std::size_t context_at = encoding.size();
  rules.encode_context(entry, encoding);
  rest = rules.content_hash(encoding);

  static const std::string nothing;
  const std::string& jti = entry.caller == nullptr ? nothing : entry.caller->jti;
  const std::string& sender = entry.caller == nullptr ? nothing : entry.caller->subject;
  if (bytes_.capacity() > kept_bytes_max) std::string().swap(bytes_);
  bytes_.clear();
  std::size_t next = 0;
  for (const std::string_view text :
       {std::string_view(encoding).substr(context_at), entry.source, entry.subject_id.reveal(),
        entry.authored.reveal(), std::string_view(jti), std::string_view(sender)}) {
    bytes_.append(text);
    ends_[++next] = static_cast<std::uint32_t>(bytes_.size());
  }
  submission_id = entry.submission_id;
  delivery_id = entry.delivery_id;
  content_hash = entry.content_hash;
  received_at = entry.received_at;
  disposition = entry.disposition;
  held_reason = entry.held_reason;
  flags = entry.flags;
  amends = entry.amends;
  ReceiptFacts facts;
  facts.submission_id = submission_id;
  facts.delivery_id = delivery_id;
  facts.received_at = received_at;
  facts.content_hash = content_hash;
  facts.disposition = disposition;
  facts.flags = flags;
  facts.rest = rest;
  digest = rules.entry_digest(facts);
  lane = rules.lane(entry.trial_id, entry.subject_id);
}

}  // namespace vesper
