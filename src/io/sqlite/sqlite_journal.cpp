#include "io/sqlite/sqlite_journal.hpp"

#include <sqlite3.h>

#include "base/ensure.hpp"

namespace vesper {
namespace {

constexpr int diary_format = 2, event_format = 1;

WallTime wall(std::int64_t ms) {
  return WallTime{std::chrono::milliseconds{ms}};
}
std::int64_t ms_of(WallTime time) {
  return time.time_since_epoch().count();
}
std::int64_t stored(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

}  // namespace

SqliteJournal::SqliteJournal(const SqliteOptions& options, const JournalRules& rules, Clock& clock,
                             Entropy& entropy, std::unique_ptr<Connection> connection,
                             std::optional<JournalFile> file)
    : options_(options),
      rules_(rules),
      clock_(clock),
      entropy_(entropy),
      file_(std::move(file)),
      connection_(std::move(connection)),
      contexts_(*connection_, rules),
      keys_(*connection_, options.index_run_keys, options.index_slice_keys),
      outbox_(*connection_, options.fresh_bytes_max),
      begin_(connection_->prepare("BEGIN IMMEDIATE")),
      commit_(connection_->prepare("COMMIT")),
      insert_diary_(connection_->prepare(
          "INSERT INTO diaries(position,format,commit_group,context,disposition,held_reason,flags,"
          "received_at,submission_id,delivery_id,salt,content_hash,subject_id,authored,jti,"
          "caller_subject,amends,source) "
          "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)")),
      select_facts_(connection_->prepare(
          "SELECT d.received_at,d.content_hash,d.disposition,d.flags,d.submission_id,"
          "d.delivery_id,g.number,g.first_position,g.link,d.format,d.salt,d.held_reason,"
          "d.subject_id,d.authored,d.jti,d.caller_subject,d.amends,c.encoding FROM diaries d "
          "JOIN groups g ON g.number=d.commit_group JOIN contexts c ON c.id=d.context "
          "WHERE d.position=?1")),
      insert_group_(connection_->prepare(
          "INSERT INTO groups(number,first_position,diaries,count,committed_at,link,receipt_key,"
          "signature,leaves) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)")),
      insert_event_(connection_->prepare(
          "INSERT INTO audit(format,commit_group,at,action,actor,target,reason,attachment,salt) "
          "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)")),
      insert_conflict_(connection_->prepare(
          "INSERT INTO conflicts(position,received_at,content_hash,jti,caller_subject,context,"
          "source,commit_group,salt) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)")),
      count_conflicts_(connection_->prepare(
          "SELECT count(*), coalesce(max(content_hash=?2),0) FROM conflicts WHERE position=?1")),
      write_anchor_(
          connection_->prepare("INSERT OR REPLACE INTO meta(name,value) VALUES('anchor',?1)")) {}

SqliteJournal::~SqliteJournal() = default;

std::expected<void, StoreFault> SqliteJournal::commit_group(
    std::span<const PreparedEntry* const> entries, std::span<Task> tasks,
    std::span<Result> results) {
  ensure(entries.size() == results.size());
  if (broken_) {
    for (auto& result : results) result = std::unexpected(StoreFault::broken);
    return std::unexpected(StoreFault::broken);
  }
  first_position_ = next_position_;
  committed_at_ = clock_.wall();
  group_owes_ = false;
  leaves_.clear();
  event_leaves_.clear();
  conflict_leaves_.clear();
  stored_.clear();
  try {
    begin_.run();
    add_salts(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      results[i] = add(*entries[i], entries);
      if (results[i] && results[i]->how == Committed::How::stored)
        stored_.push_back({i, results[i]->facts.salt});
    }
    for (Task& task : tasks) task(*this);
    if (!leaves_.empty() || !event_leaves_.empty() || !conflict_leaves_.empty()) seal_group();
    keys_.write_slice(entries.size());
    outbox_.save_counts();
    commit_.run();
  } catch (const SqliteError& error) {
    return fail(error, results);
  }
  keys_.after_commit();
  outbox_.fresh().publish(link_);
  // What was stored in this group, or is a replay of it, learns the link only now.
  for (auto& result : results) {
    if (!result || result->facts.group != group_) continue;
    result->facts.group_hash = link_;
    result->facts.proof = newest_proof_;
  }
  return {};
}

std::expected<void, StoreFault> SqliteJournal::fail(const SqliteError& error,
                                                    std::span<Result> results) {
  StoreFault fault = StoreFault::broken;
  trouble_ = error.what();
  // A full disk is found before anything is synced: the transaction can be taken back, and memory
  // is read anew from what is stored. Any other failure leaves the disk's state unknown.
  if ((error.code() & 0xff) == SQLITE_FULL) {
    try {
      if (sqlite3_get_autocommit(connection_->handle()) == 0) connection_->execute("ROLLBACK");
      if (auto loaded = load(); loaded) {
        fault = StoreFault::disk_reserve;
        disk_reserve_ = true;
      } else {
        trouble_ = loaded.error();
      }
    } catch (const SqliteError& second) {
      trouble_ = second.what();
    }
  }
  broken_ = fault == StoreFault::broken;
  for (auto& result : results) result = std::unexpected(fault);
  return std::unexpected(fault);
}

void SqliteJournal::add_salts(std::size_t count) {
  salts_.resize(count + 16);  // one an entry, new or conflicting, and some for events
  salts_used_ = 0;
  entropy_.fill({salts_.front().data(), salts_.size() * sizeof(Salt)});
}

SqliteJournal::Result SqliteJournal::add(const PreparedEntry& entry,
                                         std::span<const PreparedEntry* const> entries) {
  if (const auto position = keys_.find(entry.submission_id, entry.delivery_id))
    return known(entry, *position, entries);
  if (disk_reserve_) return std::unexpected(StoreFault::disk_reserve);
  const auto& context = contexts_.intern(entry.context());
  insert_diary(entry, context);
  keys_.insert(entry.submission_id, entry.delivery_id, next_position_);
  if (entry.disposition != Disposition::held) {
    group_owes_ |= !context.destinations.empty();
    for (const auto& destination : context.destinations)
      outbox_.owe(destination, {next_position_, entry.lane, entry.delivery_id, 0, committed_at_});
  }
  Committed committed;
  committed.facts = {.submission_id = entry.submission_id,
                     .delivery_id = entry.delivery_id,
                     .received_at = entry.received_at,
                     .content_hash = entry.content_hash,
                     .disposition = entry.disposition,
                     .flags = entry.flags,
                     .position = next_position_,
                     .chain_id = chain_id_,
                     .group = group_ + 1,
                     .index = static_cast<std::uint32_t>(next_position_ - first_position_),
                     .group_hash = {},
                     .salt = leaf_salt_,
                     .rest = entry.rest,
                     .proof = nullptr};
  if (entry.disposition != Disposition::held && outbox_.fresh().wanted())
    outbox_.fresh().stage({entry, context.texts, committed.facts, committed_at_});
  ++next_position_;
  return committed;
}

void SqliteJournal::insert_diary(const PreparedEntry& entry, const Contexts::Known& context) {
  const Salt& salt = salts_[salts_used_++];
  leaf_salt_ = salt;
  auto& row = insert_diary_;
  row.bind(1, stored(next_position_)).bind(2, diary_format).bind(3, stored(group_ + 1));
  row.bind(4, context.id).bind(5, static_cast<int>(entry.disposition));
  row.bind(6, static_cast<int>(entry.held_reason)).bind(7, entry.flags);
  row.bind(8, ms_of(entry.received_at)).bind_blob(9, entry.submission_id.bytes);
  row.bind_blob(10, entry.delivery_id.bytes).bind_blob(11, salt).bind_blob(12, entry.content_hash);
  row.bind_text(13, entry.subject_id()).bind_text(14, entry.authored()).bind_text(15, entry.jti());
  // A patient sends for herself: her id is not stored twice.
  if (entry.caller_subject() == entry.subject_id())
    row.bind_null(16);
  else
    row.bind_text(16, entry.caller_subject());
  if (entry.amends)
    row.bind_blob(17, entry.amends->bytes);
  else
    row.bind_null(17);
  row.bind_blob(18, entry.source()).run();
  leaves_.push_back(rules_.leaf(salt, entry.digest));
}

SqliteJournal::Result SqliteJournal::known(const PreparedEntry& entry, Position position,
                                           std::span<const PreparedEntry* const> entries) {
  Committed committed;
  ReceiptFacts& facts = committed.facts;
  facts.position = position;
  facts.chain_id = chain_id_;
  if (position >= first_position_) {
    const New& made = stored_[position - first_position_];
    const PreparedEntry& first = *entries[made.entry];
    facts.submission_id = first.submission_id;
    facts.delivery_id = first.delivery_id;
    facts.received_at = first.received_at;
    facts.content_hash = first.content_hash;
    facts.disposition = first.disposition;
    facts.flags = first.flags;
    facts.group = group_ + 1;
    facts.index = static_cast<std::uint32_t>(position - first_position_);
    facts.salt = made.salt;
    facts.rest = first.rest;
  } else {
    const RowGuard guard(select_facts_);
    if (!select_facts_.bind(1, stored(position)).step())
      throw SqliteError(SQLITE_CORRUPT, "a key names a position without a diary");
    facts.received_at = wall(select_facts_.integer(0));
    facts.content_hash = select_facts_.exactly<32>(1);
    facts.disposition = static_cast<Disposition>(select_facts_.integer(2));
    facts.flags = static_cast<std::uint8_t>(select_facts_.integer(3));
    facts.submission_id = Uuid{select_facts_.exactly<16>(4)};
    facts.delivery_id = Uuid{select_facts_.exactly<16>(5)};
    facts.group = static_cast<std::uint64_t>(select_facts_.integer(6));
    facts.index = static_cast<std::uint32_t>(stored(position) - select_facts_.integer(7));
    facts.group_hash = select_facts_.exactly<32>(8);
    if (select_facts_.integer(9) == diary_format) fill_rest(facts);
  }
  const bool equal = facts.content_hash == entry.content_hash;
  committed.how = equal ? Committed::How::replay : Committed::How::conflict;
  if (!equal && !disk_reserve_) keep_conflict(entry, position);
  return committed;
}

// Of the row that select_facts_ stands on: what its first receipt said is made again.
void SqliteJournal::fill_rest(ReceiptFacts& facts) {
  const auto& row = select_facts_;
  Caller caller;
  caller.jti = row.bytes(14);
  caller.subject = row.is_null(15) ? row.bytes(12) : row.bytes(15);
  JournalEntry entry;
  entry.held_reason = static_cast<HeldReason>(row.integer(11));
  entry.subject_id = PatientText{row.bytes(12)};
  entry.authored = PatientText{row.bytes(13)};
  entry.caller = &caller;
  if (!row.is_null(16)) entry.amends = Uuid{row.exactly<16>(16)};
  std::string encoding;
  rules_.encode_rest(entry, encoding);
  encoding.append(row.bytes(17));
  facts.rest = rules_.content_hash(encoding);
  facts.salt = row.exactly<16>(10);
  facts.proof = proofs_->of(facts.group);
}

void SqliteJournal::keep_conflict(const PreparedEntry& entry, Position position) {
  if (conflicts_ >= options_.conflicts_total) return;
  {
    const RowGuard guard(count_conflicts_);
    count_conflicts_.bind(1, stored(position)).bind_blob(2, entry.content_hash);
    if (!count_conflicts_.step() || count_conflicts_.integer(1) != 0 ||
        count_conflicts_.integer(0) >= static_cast<std::int64_t>(options_.conflicts_per_diary))
      return;
  }
  auto& row = insert_conflict_;
  row.bind(1, stored(position)).bind(2, ms_of(entry.received_at));
  row.bind_blob(3, entry.content_hash).bind_text(4, entry.jti());
  row.bind_text(5, entry.caller_subject()).bind_blob(6, entry.context());
  row.bind_blob(7, entry.source()).bind(8, stored(group_ + 1));
  const Salt& salt = salts_[salts_used_++];
  row.bind_blob(9, salt).run();
  std::string encoding;
  rules_.encode_conflict({position, entry.received_at, entry.content_hash, entry.jti(),
                          entry.caller_subject(), entry.context()},
                         encoding);
  conflict_leaves_.push_back(rules_.leaf(salt, rules_.content_hash(encoding)));
  ++conflicts_;
}

void SqliteJournal::record(const AuditEvent& event, const Hash& attachment) {
  if (salts_used_ == salts_.size()) {
    salts_.emplace_back();
    entropy_.fill(salts_.back());
  }
  const Salt& salt = salts_[salts_used_++];
  std::string encoding;
  rules_.encode_event(event, attachment, encoding);
  auto& row = insert_event_;
  row.bind(1, event_format).bind(2, stored(group_ + 1)).bind(3, ms_of(event.at));
  row.bind_text(4, event.action).bind_text(5, event.actor).bind_text(6, event.target);
  row.bind_text(7, event.reason).bind_blob(8, attachment).bind_blob(9, salt).run();
  event_leaves_.push_back(rules_.leaf(salt, rules_.content_hash(encoding)));
}

std::expected<void, StoreFault> SqliteJournal::publish(const TrialRow& row) {
  auto latest =
      connection_->prepare("SELECT coalesce(max(revision),0) FROM trials WHERE trial_id=?1");
  latest.bind_text(1, row.trial_id).step();
  const auto next = static_cast<std::uint64_t>(latest.integer(0)) + 1;
  latest.reset();
  if (row.revision != next) return std::unexpected(StoreFault::stale);
  auto insert = connection_->prepare(
      "INSERT INTO trials(trial_id,revision,document,published_by,reason,published_at) "
      "VALUES(?1,?2,?3,?4,?5,?6)");
  insert.bind_text(1, row.trial_id).bind(2, stored(row.revision)).bind_text(3, row.document);
  insert.bind_text(4, row.published_by).bind_text(5, row.reason);
  insert.bind(6, ms_of(row.published_at)).run();
  record({"trial.publish", row.published_by, row.trial_id + "#" + std::to_string(row.revision),
          row.reason, row.published_at},
         rules_.content_hash(row.document));
  return {};
}

bool SqliteJournal::checkpoint(bool force) {
  if (broken_) return false;
  const int frames = connection_->wal_frames();
  if (frames == 0 || (!force && frames < options_.checkpoint_frames)) return true;
  try {
    const int left = connection_->checkpoint_passive();
    if (left > 0 && frames > options_.wal_frames_max) connection_->checkpoint_truncate(50);
  } catch (const SqliteError& error) {
    checkpoint_failed(error);
  }
  return !broken_;
}

// For want of room is no harm: the log still has everything, and is copied when there is room.
void SqliteJournal::checkpoint_failed(const SqliteError& error) {
  disk_reserve_ = (error.code() & 0xff) == SQLITE_FULL;
  broken_ = !disk_reserve_;
  if (broken_) trouble_ = error.what();
}

bool SqliteJournal::settle_down() {
  while (!broken_ && !disk_reserve_ && keys_.seal_all())
    if (!commit_group({}, {}, {})) break;
  if (broken_) return false;
  try {
    connection_->checkpoint_truncate(200);
  } catch (const SqliteError& error) {
    checkpoint_failed(error);
  }
  return !broken_;
}

}  // namespace vesper
