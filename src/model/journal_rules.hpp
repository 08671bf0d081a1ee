#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/group_proof.hpp"
#include "model/journal.hpp"

namespace vesper {

/// What many diaries share. Stored once, named by a number in each row. Views into the encoding.
struct EntryContext {
  std::string_view trial_id, form_id, form_version, site, app_version;
  std::string_view issuer, kid, algorithm, acr, amr;
  Scopes scopes;
  MediaType media = MediaType::json;
  std::uint16_t mapper_version = 0;
  std::uint64_t trial_revision = 0;
  std::vector<std::string_view> destinations;
};

/// Other bytes that came under a known id, as they are kept.
struct ConflictFacts {
  Position position = 0;  ///< of the diary that holds the id
  WallTime received_at;
  Hash content_hash{};
  std::string_view jti, caller_subject, context;
};

/// The formats and hashes of the journal, decided by stages/journal and handed to the stores that
/// keep it: a store never invents what it must be able to prove.
///   Thread: pure functions, any thread.
struct JournalRules {
  Hash (*content_hash)(std::string_view bytes);
  Uuid (*delivery_id)(std::string_view trial_id, PatientText subject_id, Uuid submission_id);
  /// Stable number of a patient, for ordering only; equal for equal (trial, subject).
  std::uint64_t (*lane)(std::string_view trial_id, PatientText subject_id);
  /// Format 1, of rows stored before receipts were signed: its digest is over head and context.
  void (*encode_head)(const JournalEntry& entry, std::string& out);
  /// Format 2: what a receipt does not show; its hash, with the context appended, is the `rest`.
  void (*encode_rest)(const JournalEntry& entry, std::string& out);
  /// Format 2: over what a receipt shows, and the rest.
  Hash (*entry_digest)(const ReceiptFacts& facts);
  void (*encode_context)(const JournalEntry& entry, std::string& out);
  /// Errors: false when `bytes` are not a context this version knows.
  bool (*decode_context)(std::string_view bytes, EntryContext& out);
  /// The canonical encoding of an audit event; `attachment` is the hash of a document it concerns.
  void (*encode_event)(const AuditEvent& event, const Hash& attachment, std::string& out);
  Hash (*leaf)(const Salt& salt, const Hash& entry_digest);
  void (*encode_conflict)(const ConflictFacts& conflict, std::string& out);
  /// Appends to the leaves each level above them; the last node is the root.
  void (*grow_tree)(std::vector<Hash>& nodes);
  Hash (*genesis)(Uuid chain_id);
  Hash (*link)(const GroupSeal& seal);
  /// What a signed group hands to the next instead of its bare link.
  Hash (*carried)(const Hash& link, std::string_view kid, const Signature& signature);
  /// The group's part of `proof`.
  void (*write_group_proof)(const GroupProof& proof, std::string& out);
  /// The thumbprint of a public key; empty when it is none.
  std::string (*key_id)(const ReceiptKeyFacts& key);
  bool (*verify_link)(const ReceiptKeyFacts& key, const LinkStatement& statement,
                      const Signature& signature);
};

}  // namespace vesper
