#include "io/sqlite/verify_tables.hpp"

#include <fmt/format.h>

#include <cstring>

#include "io/sqlite/key_index.hpp"

namespace vesper {
namespace {

std::string_view view_of(const IndexKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

}  // namespace

TableVerifier::TableVerifier(Connection& connection, const JournalRules& rules, HashSeed seed)
    : connection_(connection),
      rules_(rules),
      seed_(seed),
      indexed_to_(static_cast<std::uint64_t>(connection.integer(
          "SELECT coalesce((SELECT value FROM meta WHERE name='indexed_to'),0)"))) {
  auto rows = connection.prepare("SELECT id,name FROM destinations");
  while (rows.step()) destinations_[std::string{rows.bytes(1)}] = rows.integer(0);
}

std::uint64_t TableVerifier::hash_of(std::string_view key, std::uint64_t position) const {
  SipHash hash(seed_);
  hash.add(key);
  hash.add(position);
  return hash.finish();
}

std::uint64_t TableVerifier::hash_of(std::int64_t destination, std::uint64_t position) const {
  SipHash hash(seed_);
  hash.add(static_cast<std::uint64_t>(destination));
  hash.add(position);
  return hash.finish();
}

const TableVerifier::Context& TableVerifier::context_of(const Seen& diary) {
  const auto [it, made] = contexts_.try_emplace(diary.context);
  if (!made) return it->second;
  EntryContext decoded;
  it->second.known = rules_.decode_context(diary.encoding, decoded);
  for (const auto name : decoded.destinations) {
    const auto found = destinations_.find(std::string{name});
    if (found == destinations_.end())
      it->second.known = false;
    else
      it->second.destinations.push_back(found->second);
  }
  return it->second;
}

void TableVerifier::see(const Seen& diary) {
  if (diary.position <= indexed_to_)
    keys_ += hash_of(view_of(index_key(diary.submission_id, diary.delivery_id)), diary.position);
  if (diary.disposition == Disposition::held) {
    held_.insert(diary.position);
    return;
  }
  const Context& context = context_of(diary);
  destination_missing_ = destination_missing_ || !context.known;
  for (const auto destination : context.destinations)
    debts_ += hash_of(destination, diary.position);
}

std::optional<std::string> TableVerifier::verify(const ChainEnd& end) {
  if (auto fault = verify_meta(end)) return fault;
  if (auto fault = verify_contexts()) return fault;
  if (auto fault = verify_counted_rows()) return fault;
  if (auto fault = verify_keys(end)) return fault;
  if (auto fault = verify_debts()) return fault;
  for (const char* table : {"owed", "blocked", "parked"})
    if (auto fault = verify_open_debts(table)) return fault;
  return verify_counts();
}

TableVerifier::Fault TableVerifier::verify_meta(const ChainEnd& end) {
  if (indexed_to_ >= end.next_position) return "keys are said to be indexed beyond the last diary";
  const auto anchor =
      connection_.integer("SELECT coalesce((SELECT value FROM meta WHERE name='anchor'),0)");
  if (anchor < 0 || static_cast<std::uint64_t>(anchor) > end.group)
    return "the group that start verifies from does not exist";
  return {};
}

TableVerifier::Fault TableVerifier::verify_contexts() {
  auto rows = connection_.prepare("SELECT id,digest,encoding FROM contexts");
  while (rows.step()) {
    const Hash hash = rules_.content_hash(rows.bytes(2));
    std::int64_t digest = 0;
    std::memcpy(&digest, hash.data(), sizeof digest);
    if (digest != rows.integer(1))
      return fmt::format("context {} has not the digest of its bytes", rows.integer(0));
  }
  return {};
}

// Every event of the chain has found its row; so many rows there are, and no others.
TableVerifier::Fault TableVerifier::verify_counted_rows() {
  const auto events = [&](const char* action) {
    auto count = connection_.prepare("SELECT count(*) FROM audit WHERE action=?1");
    count.bind_text(1, action).step();
    return count.integer(0);
  };
  if (connection_.integer("SELECT count(*)+(count(*)<>coalesce(max(id),0)) FROM trials") !=
      events("trial.publish"))
    return "there is a trial document that nobody has published, or one is missing";
  if (connection_.integer("SELECT count(*) FROM receipt_keys") != events("receipt-key.use"))
    return "there is a receipt key that was never taken into use, or one is missing";
  return {};
}

TableVerifier::Fault TableVerifier::verify_keys(const ChainEnd& end) {
  auto rows = connection_.prepare("SELECT key,position FROM keys");
  auto diary =
      connection_.prepare("SELECT submission_id,delivery_id FROM diaries WHERE position=?1");
  while (rows.step()) {
    const auto position = static_cast<Position>(rows.integer(1));
    if (position <= indexed_to_) {
      keys_ -= hash_of(rows.bytes(0), position);
      continue;
    }
    // Of a run that was not finished.
    const RowGuard guard(diary);
    if (position >= end.next_position || !diary.bind(1, rows.integer(1)).step() ||
        view_of(index_key(Uuid{diary.exactly<16>(0)}, Uuid{diary.exactly<16>(1)})) != rows.bytes(0))
      return "an idempotency key leads to another diary";
  }
  if (keys_ != 0) return "the idempotency keys are not those of the diaries";
  return {};
}

TableVerifier::Fault TableVerifier::verify_debts() {
  if (destination_missing_) return "a destination that diaries were owed to is missing";
  for (const char* table : {"owed", "blocked", "parked", "settled"}) {
    auto rows = connection_.prepare(fmt::format("SELECT destination,position FROM {}", table));
    while (rows.step()) {
      const auto position = static_cast<Position>(rows.integer(1));
      if (held_.empty() || !held_.contains(position)) debts_ -= hash_of(rows.integer(0), position);
    }
  }
  if (debts_ != 0) return "what is owed and settled is not what the diaries were owed to";
  return {};
}

TableVerifier::Fault TableVerifier::verify_open_debts(const std::string& table) {
  auto rows = connection_.prepare(fmt::format(
      "SELECT o.position,o.lane,o.delivery_id,o.committed_at,d.delivery_id,d.subject_id,"
      "g.committed_at,c.encoding FROM {} o JOIN diaries d ON d.position=o.position "
      "JOIN groups g ON g.number=d.commit_group JOIN contexts c ON c.id=d.context",
      table));
  EntryContext context;
  std::string encoding;
  while (rows.step()) {
    if (rows.bytes(7) != encoding) {
      encoding = rows.bytes(7);
      if (!rules_.decode_context(encoding, context)) return "a context does not decode";
    }
    const auto lane = rules_.lane(context.trial_id, PatientText{rows.bytes(5)});
    const bool released = held_.contains(static_cast<Position>(rows.integer(0)));
    if (static_cast<std::uint64_t>(rows.integer(1)) != lane || rows.bytes(2) != rows.bytes(4) ||
        (!released && rows.integer(3) != rows.integer(6)))
      return fmt::format("the debt of diary {} does not agree with it", rows.integer(0));
  }
  return {};
}

// What a person has skipped is settled but not delivered.
TableVerifier::Fault TableVerifier::verify_counts() {
  auto rows = connection_.prepare(
      "SELECT d.id,d.owed,d.blocked,d.parked,d.delivered,"
      "(SELECT count(*) FROM owed o WHERE o.destination=d.id),"
      "(SELECT count(*) FROM blocked o WHERE o.destination=d.id),"
      "(SELECT count(*) FROM parked o WHERE o.destination=d.id),"
      "(SELECT count(*) FROM settled o WHERE o.destination=d.id AND "
      "NOT (o.reason='skipped' AND o.http_status=0)) FROM destinations d");
  while (rows.step()) {
    if (rows.integer(1) != rows.integer(5) + rows.integer(6) ||
        rows.integer(2) != rows.integer(6) || rows.integer(3) != rows.integer(7) ||
        rows.integer(4) != rows.integer(8))
      return fmt::format("the counts of destination {} are wrong", rows.integer(0));
  }
  return {};
}

}  // namespace vesper
