#include "io/sqlite/journal_reader.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace vesper {
namespace {

WallTime wall(std::int64_t ms) {
  return WallTime{std::chrono::milliseconds{ms}};
}

/// One read transaction: many rows at the price of one, and never left open.
class Snapshot {
 public:
  explicit Snapshot(Connection& connection) : connection_(connection) {
    connection_.execute("BEGIN");
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { sqlite3_exec(connection_.handle(), "COMMIT", nullptr, nullptr, nullptr); }

 private:
  Connection& connection_;
};

template <class Read>
auto guarded(Read read) -> decltype(read()) {
  try {
    return read();
  } catch (const SqliteError&) {
    return std::unexpected(StoreFault::broken);
  }
}

}  // namespace

JournalReader::JournalReader(const SqliteOptions& options, const JournalRules& rules,
                             const KeyIndex& keys, const Leases& leases,
                             const ReceiptKeyTable& receipt_keys, Uuid chain_id)
    : rules_(rules),
      keys_(keys),
      leases_(leases),
      chain_id_(chain_id),
      connection_(options.path, Connection::Access::read, options.vfs),
      by_key_(connection_.prepare("SELECT position FROM keys WHERE key=?1")),
      by_prefix_(connection_.prepare(
          "SELECT position FROM keys WHERE key>=?1 AND key<=?2 ORDER BY key LIMIT 1024")),
      diary_(connection_.prepare(
          "SELECT d.position,d.context,d.disposition,d.held_reason,d.flags,d.received_at,"
          "d.submission_id,d.delivery_id,d.content_hash,d.subject_id,d.authored,d.jti,"
          "d.caller_subject,d.amends,d.source,g.number,g.first_position,g.link,"
          "d.format,d.salt FROM diaries d "
          "JOIN groups g ON g.number=d.commit_group WHERE d.position=?1")),
      context_(connection_.prepare("SELECT encoding FROM contexts WHERE id=?1")),
      status_(connection_.prepare(
          "SELECT 3,attempts FROM settled WHERE destination=?1 AND position=?2 UNION ALL "
          "SELECT 4,attempts FROM parked WHERE destination=?1 AND position=?2 UNION ALL "
          "SELECT 1,attempts FROM owed WHERE destination=?1 AND position=?2 UNION ALL "
          "SELECT 1,attempts FROM blocked WHERE destination=?1 AND lane=?3 AND position=?2 "
          "LIMIT 1")),
      destination_(connection_.prepare("SELECT id FROM destinations WHERE name=?1")),
      counts_(connection_.prepare(
          "SELECT name,paused,owed,blocked,parked,delivered,"
          "(SELECT committed_at FROM owed o WHERE o.destination=d.id ORDER BY position LIMIT 1),"
          "(SELECT min(committed_at) FROM blocked b WHERE b.destination=d.id) "
          "FROM destinations d ORDER BY id")),
      parked_(connection_.prepare(
          "SELECT p.position,p.lane,p.delivery_id,p.attempts,p.http_status,p.evidence_headers,"
          "p.body_digest,p.reason,p.at FROM parked p JOIN destinations d ON d.id=p.destination "
          "WHERE d.name=?1 AND p.position>?2 ORDER BY p.position LIMIT ?3")),
      proofs_(connection_, rules, receipt_keys, chain_id) {
  connection_.execute("PRAGMA cache_size=-4096");
  sqlite3_busy_timeout(connection_.handle(), 1000);
}

const JournalReader::Context& JournalReader::context(std::int64_t id) {
  if (const auto it = contexts_.find(id); it != contexts_.end()) return *it->second;
  if (contexts_.size() >= 8192) contexts_.clear();
  const RowGuard guard(context_);
  auto made = std::make_unique<Context>();
  if (context_.bind(1, id).step()) made->encoding = context_.bytes(0);
  if (!rules_.decode_context(made->encoding, made->view))
    throw SqliteError(SQLITE_CORRUPT, "a context is missing or does not decode");
  return *contexts_.emplace(id, std::move(made)).first->second;
}

void JournalReader::fill(StoredDiary& diary, const Statement& row) {
  const EntryContext& shared = context(row.integer(1)).view;
  diary.position = static_cast<Position>(row.integer(0));
  diary.trial_id = shared.trial_id;
  diary.form_id = shared.form_id;
  diary.form_version = shared.form_version;
  diary.site = shared.site;
  diary.app_version = shared.app_version;
  diary.issuer = shared.issuer;
  diary.kid = shared.kid;
  diary.acr = shared.acr;
  diary.amr = shared.amr;
  diary.caller_scopes = shared.scopes;
  diary.media = shared.media;
  diary.mapper_version = shared.mapper_version;
  diary.trial_revision = shared.trial_revision;
  diary.subject_id = row.bytes(9);
  diary.authored = row.bytes(10);
  diary.jti = row.bytes(11);
  diary.caller_subject = row.is_null(12) ? row.bytes(9) : row.bytes(12);
  if (!row.is_null(13)) diary.amends = Uuid{row.exactly<16>(13)};
  diary.source = row.bytes(14);
  diary.held_reason = static_cast<HeldReason>(row.integer(3));
  diary.facts = {.submission_id = Uuid{row.exactly<16>(6)},
                 .delivery_id = Uuid{row.exactly<16>(7)},
                 .received_at = wall(row.integer(5)),
                 .content_hash = row.exactly<32>(8),
                 .disposition = static_cast<Disposition>(row.integer(2)),
                 .flags = static_cast<std::uint8_t>(row.integer(4)),
                 .position = diary.position,
                 .chain_id = chain_id_,
                 .group = static_cast<std::uint64_t>(row.integer(15)),
                 .index = static_cast<std::uint32_t>(row.integer(0) - row.integer(16)),
                 .group_hash = row.exactly<32>(17),
                 .salt = row.integer(18) == 1 ? Salt{} : row.exactly<16>(19),
                 .rest = {},
                 .proof = nullptr};
}

// What the first receipt said is made again from the row; one stored before signing has no proof.
void JournalReader::add_proof(StoredDiary& diary, const Context& shared) {
  diary.facts.proof = proofs_.of(diary.facts.group);
  if (diary.facts.proof == nullptr) return;
  Caller caller;
  caller.jti = diary.jti;
  caller.subject = diary.caller_subject;
  JournalEntry entry;
  entry.held_reason = diary.held_reason;
  entry.subject_id = PatientText{diary.subject_id};
  entry.authored = PatientText{diary.authored};
  entry.caller = &caller;
  entry.amends = diary.amends;
  std::string encoding;
  rules_.encode_rest(entry, encoding);
  encoding.append(shared.encoding);
  diary.facts.rest = rules_.content_hash(encoding);
}

// For delivery neither the debts nor the proof are read.
std::optional<StoredDiary> JournalReader::read(Position position, bool with_delivery) {
  const RowGuard guard(diary_);
  if (!diary_.bind(1, static_cast<std::int64_t>(position)).step()) return std::nullopt;
  std::optional<StoredDiary> diary(std::in_place);
  fill(*diary, diary_);
  if (!with_delivery) return diary;
  const Context& shared = context(diary_.integer(1));
  add_delivery(*diary, shared.view);
  add_proof(*diary, shared);
  return diary;
}

void JournalReader::add_delivery(StoredDiary& diary, const EntryContext& shared) {
  const auto lane = rules_.lane(diary.trial_id, PatientText{diary.subject_id});
  status_.bind(3, static_cast<std::int64_t>(lane));
  for (const auto destination : shared.destinations) {
    if (diary.facts.disposition == Disposition::held)
      diary.delivery.push_back({std::string{destination}, DeliveryState::held, 0});
    else
      diary.delivery.push_back(delivery_of(destination, diary.position));
  }
}

DeliveryStatus JournalReader::delivery_of(std::string_view destination, Position position) {
  DeliveryStatus status{std::string{destination}, DeliveryState::owed, 0};
  const RowGuard name_guard(destination_), guard(status_);
  if (!destination_.bind_text(1, destination).step()) return status;
  const auto id = destination_.integer(0);
  if (status_.bind(1, id).bind(2, static_cast<std::int64_t>(position)).step()) {
    status.state = static_cast<DeliveryState>(status_.integer(0));
    status.attempts = static_cast<std::uint32_t>(status_.integer(1));
  }
  if (status.state == DeliveryState::owed && leases_.has(id, position))
    status.state = DeliveryState::leased;
  return status;
}

std::optional<Position> JournalReader::position_of(const Uuid& submission_id,
                                                   const Uuid& delivery_id) {
  if (const auto recent = keys_.find_recent(delivery_id)) return recent;
  // Asked after the memory: a run leaves it only once its keys are committed to the table.
  const IndexKey key = index_key(submission_id, delivery_id);
  const RowGuard guard(by_key_);
  if (!by_key_.bind_blob(1, key).step()) return std::nullopt;
  return static_cast<Position>(by_key_.integer(0));
}

std::expected<StoredDiary, StoreFault> JournalReader::find(std::string_view trial_id,
                                                           PatientText subject_id,
                                                           Uuid submission_id) {
  return guarded([&]() -> std::expected<StoredDiary, StoreFault> {
    const Uuid delivery_id = rules_.delivery_id(trial_id, subject_id, submission_id);
    const auto position = position_of(submission_id, delivery_id);
    if (!position) return std::unexpected(StoreFault::not_found);
    auto diary = read(*position, true);
    // A key may be in memory a moment before its group is committed.
    if (!diary) return std::unexpected(StoreFault::not_found);
    return std::move(*diary);
  });
}

std::expected<std::vector<StoredDiary>, StoreFault> JournalReader::find_in_trial(
    std::string_view trial_id, Uuid submission_id) {
  constexpr std::size_t found_max = 16;
  return guarded([&]() -> std::expected<std::vector<StoredDiary>, StoreFault> {
    std::vector<Position> positions = keys_.recent_of(submission_id);
    Uuid low, high;
    high.bytes.fill(0xff);
    const IndexKey first = index_key(submission_id, low), last = index_key(submission_id, high);
    {
      const RowGuard guard(by_prefix_);
      by_prefix_.bind_blob(1, first).bind_blob(2, last);
      while (by_prefix_.step()) positions.push_back(static_cast<Position>(by_prefix_.integer(0)));
    }
    std::ranges::sort(positions);
    const auto repeated = std::ranges::unique(positions);
    positions.erase(repeated.begin(), repeated.end());
    std::vector<StoredDiary> found;
    for (const Position position : positions) {
      if (found.size() == found_max) break;
      auto diary = read(position, true);
      if (diary && diary->facts.submission_id == submission_id && diary->trial_id == trial_id)
        found.push_back(std::move(*diary));
    }
    return found;
  });
}

std::expected<StoredDiary, StoreFault> JournalReader::at(Position position) {
  return guarded([&]() -> std::expected<StoredDiary, StoreFault> {
    auto diary = read(position, true);
    if (!diary) return std::unexpected(StoreFault::not_found);
    return std::move(*diary);
  });
}

std::expected<std::vector<SharedDiary>, StoreFault> JournalReader::at_all(
    std::span<const Position> positions) {
  return guarded([&]() -> std::expected<std::vector<SharedDiary>, StoreFault> {
    std::vector<SharedDiary> found;
    found.reserve(positions.size());
    const Snapshot snapshot(connection_);
    for (const Position position : positions) {
      auto diary = read(position, false);
      if (!diary) break;
      found.push_back(std::make_shared<const StoredDiary>(std::move(*diary)));
    }
    if (found.size() != positions.size()) return std::unexpected(StoreFault::not_found);
    return found;
  });
}

std::expected<std::vector<TrialRow>, StoreFault> JournalReader::trials() {
  return guarded([&]() -> std::expected<std::vector<TrialRow>, StoreFault> {
    std::vector<TrialRow> all;
    auto rows = connection_.prepare(
        "SELECT trial_id,revision,document,published_by,reason,published_at FROM trials "
        "ORDER BY id");
    while (rows.step())
      all.push_back({std::string{rows.bytes(0)}, static_cast<std::uint64_t>(rows.integer(1)),
                     std::string{rows.bytes(2)}, std::string{rows.bytes(3)},
                     std::string{rows.bytes(4)}, wall(rows.integer(5))});
    return all;
  });
}

std::expected<std::vector<OutboxCounts>, StoreFault> JournalReader::counts() {
  return guarded([&]() -> std::expected<std::vector<OutboxCounts>, StoreFault> {
    std::vector<OutboxCounts> all;
    const RowGuard guard(counts_);
    while (counts_.step()) {
      OutboxCounts& one = all.emplace_back();
      one.destination = counts_.bytes(0);
      one.paused = counts_.integer(1) != 0;
      one.owed = static_cast<std::uint64_t>(counts_.integer(2));
      one.blocked = static_cast<std::uint64_t>(counts_.integer(3));
      one.parked = static_cast<std::uint64_t>(counts_.integer(4));
      one.delivered = static_cast<std::uint64_t>(counts_.integer(5));
      for (const int column : {6, 7})
        if (!counts_.is_null(column))
          one.oldest_owed =
              std::min(one.oldest_owed.value_or(WallTime::max()), wall(counts_.integer(column)));
    }
    return all;
  });
}

std::expected<std::vector<Settlement>, StoreFault> JournalReader::parked(
    std::string_view destination, Position after, std::size_t limit) {
  return guarded([&]() -> std::expected<std::vector<Settlement>, StoreFault> {
    std::vector<Settlement> found;
    parked_.bind_text(1, destination).bind(2, static_cast<std::int64_t>(after));
    parked_.bind(3, static_cast<std::int64_t>(limit));
    const RowGuard guard(parked_);
    while (parked_.step()) {
      Settlement& one = found.emplace_back();
      one.position = static_cast<Position>(parked_.integer(0));
      one.lane = static_cast<std::uint64_t>(parked_.integer(1));
      one.delivery_id = Uuid{parked_.exactly<16>(2)};
      one.state = DeliveryState::parked;
      one.attempts = static_cast<std::uint32_t>(parked_.integer(3));
      one.http_status = static_cast<std::uint16_t>(parked_.integer(4));
      one.evidence_headers = parked_.bytes(5);
      one.body_digest = parked_.exactly<32>(6);
      one.reason = parked_.bytes(7);
      one.at = wall(parked_.integer(8));
    }
    return found;
  });
}

}  // namespace vesper
