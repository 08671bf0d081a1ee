#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "model/caller.hpp"
#include "model/diary.hpp"

namespace vesper {

using Hash = std::array<std::uint8_t, 32>;  ///< SHA-256

/// Random bytes of one leaf: without them a leaf tells nothing about an entry, not even to a guess.
using Salt = std::array<std::uint8_t, 16>;

struct GroupProof;

/// Place of an entry in the journal, from 1, without gaps, in commit order. Orders everything.
using Position = std::uint64_t;

/// Stored as a number; meanings never change.
enum class Disposition : std::uint8_t { accepted = 1, flagged = 2, held = 3 };
enum class HeldReason : std::uint8_t {
  none = 0,
  form_unknown = 1,
  trial_closed = 2,
  form_invalid = 3
};

/// Flags of a `flagged` diary; a set of bits, stored as a number.
enum class Flag : std::uint8_t { none = 0, late = 1, duplicate_in_window = 2, clock_skew = 4 };

/// One diary on its way into the journal. Views live until the commit completes or is given up:
/// the store copies what it keeps beyond that.
struct JournalEntry {
  Uuid submission_id, delivery_id;
  std::string_view trial_id;
  std::uint64_t trial_revision = 0;  ///< the document that judged it
  PatientText subject_id;
  std::string_view form_id, form_version;  ///< as the diary states them, also when unknown
  MediaType media = MediaType::json;
  std::string_view source;  ///< bytes as sent
  Hash content_hash{};      ///< SHA-256 of `source`
  WallTime received_at;
  PatientText authored;   ///< device time as sent
  std::string_view site;  ///< of the token, empty: none
  std::string_view app_version;
  const Caller* caller = nullptr;  ///< issuer, kid, jti, acr, amr, scopes, subject
  Disposition disposition = Disposition::accepted;
  HeldReason held_reason = HeldReason::none;
  std::uint8_t flags = 0;
  std::optional<Uuid> amends;
  std::uint16_t mapper_version = 0;  ///< which bundle mapper owes the bundle
  const std::vector<std::string>* destinations =
      nullptr;  ///< the outbox owes it to each; none when held
};

/// What a receipt says beside the submission itself; equal for a first try and its replays.
struct ReceiptFacts {
  Uuid submission_id, delivery_id;
  WallTime received_at;
  Hash content_hash{};
  Disposition disposition = Disposition::accepted;
  std::uint8_t flags = 0;
  Position position = 0;
  Uuid chain_id;
  std::uint64_t group = 0;  ///< number of the commit group
  std::uint32_t index = 0;  ///< leaf within the group, from 0
  Hash group_hash{};        ///< the chain's link after this group
  Salt salt{};              ///< of its leaf
  Hash rest{};              ///< digest of what the leaf binds and the receipt does not show
  std::shared_ptr<const GroupProof> proof;  ///< none: stored before receipts were signed
};

/// The answer of the store once the group is on synced storage.
struct Committed {
  enum class How : std::uint8_t { stored, replay, conflict } how = How::stored;
  ReceiptFacts facts;  ///< of the stored diary; for a conflict: of the one that holds the id
};

enum class DeliveryState : std::uint8_t {
  owed = 1,
  leased = 2,
  delivered = 3,
  parked = 4,
  held = 5
};

struct DeliveryStatus {
  std::string destination;
  DeliveryState state = DeliveryState::owed;
  std::uint32_t attempts = 0;
};

/// A diary read back. Owns its bytes.
struct StoredDiary {
  Position position = 0;
  std::string trial_id, subject_id, form_id, form_version, source, authored, site, app_version;
  std::uint64_t trial_revision = 0;
  MediaType media = MediaType::json;
  std::string issuer, kid, jti, acr, amr, caller_subject;
  Scopes caller_scopes;
  std::uint16_t mapper_version = 0;
  std::optional<Uuid> amends;
  HeldReason held_reason = HeldReason::none;
  ReceiptFacts facts;
  std::vector<DeliveryStatus> delivery;
};

/// One published trial document as stored.
struct TrialRow {
  std::string trial_id;
  std::uint64_t revision = 0;
  std::string document;  ///< JSON as published
  std::string published_by, reason;
  WallTime published_at;
};

/// Something somebody did to the server, kept in the audit chain: never holds patient content.
struct AuditEvent {
  std::string action;  ///< `trial.publish`, `outbox.redrive`, ...
  std::string actor;   ///< issuer and subject of the token, or `local`
  std::string target;  ///< trial id, delivery id, destination
  std::string reason;
  WallTime at;
};

}  // namespace vesper
