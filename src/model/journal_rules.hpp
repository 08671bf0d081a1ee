#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/journal.hpp"

namespace vesper {

/// Random bytes of one leaf: without them a leaf tells nothing about an entry, not even to a guess.
using Salt = std::array<std::uint8_t, 16>;

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

/// All that a link of the audit chain binds.
struct GroupSeal {
  Hash previous{};              ///< link of the group before, or the chain's genesis
  Hash root{};                  ///< Merkle root over the leaves
  std::uint64_t number = 0;     ///< from 1
  std::uint32_t count = 0;      ///< leaves: diaries first, then audit events
  Position first_position = 0;  ///< of its first diary; the next free one when it has none
  WallTime committed_at;
};

/// The formats and hashes of the journal, decided by stages/journal and handed to the stores that
/// keep it: a store never invents what it must be able to prove.
///   Thread: pure functions, any thread.
struct JournalRules {
  Hash (*content_hash)(std::string_view bytes);
  Uuid (*delivery_id)(std::string_view trial_id, PatientText subject_id, Uuid submission_id);
  /// Stable number of a patient, for ordering only; equal for equal (trial, subject).
  std::uint64_t (*lane)(std::string_view trial_id, PatientText subject_id);
  /// The canonical encoding of an entry is its head followed by its context.
  void (*encode_head)(const JournalEntry& entry, std::string& out);
  void (*encode_context)(const JournalEntry& entry, std::string& out);
  /// Errors: false when `bytes` are not a context this version knows.
  bool (*decode_context)(std::string_view bytes, EntryContext& out);
  /// The canonical encoding of an audit event; `attachment` is the hash of a document it concerns.
  void (*encode_event)(const AuditEvent& event, const Hash& attachment, std::string& out);
  Hash (*leaf)(const Salt& salt, const Hash& entry_digest);
  Hash (*root)(std::span<const Hash> leaves);
  Hash (*genesis)(Uuid chain_id);
  Hash (*link)(const GroupSeal& seal);
};

}  // namespace vesper
