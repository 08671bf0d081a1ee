#include "io/sqlite/outbox_tables.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <limits>

namespace vesper {
namespace {

WallTime wall(std::int64_t ms) {
  return WallTime{std::chrono::milliseconds{ms}};
}
std::int64_t ms_of(WallTime time) {
  return time.time_since_epoch().count();
}
std::int64_t stored(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

constexpr std::size_t settled_columns = 8, rows_at_once = 8;

std::string insert_settled_rows(std::size_t rows) {
  std::string sql =
      "INSERT OR IGNORE INTO settled(destination,position,attempts,http_status,at,reason,"
      "evidence_headers,body_digest) VALUES";
  for (std::size_t row = 0; row < rows; ++row)
    sql += row == 0 ? "(?,?,?,?,?,?,?,?)" : ",(?,?,?,?,?,?,?,?)";
  return sql;
}

/// Columns position, lane, delivery_id, committed_at, attempts, in this order.
OwedEntry owed_row(const Statement& row) {
  OwedEntry entry;
  entry.position = static_cast<Position>(row.integer(0));
  entry.lane = static_cast<std::uint64_t>(row.integer(1));
  entry.delivery_id = Uuid{row.exactly<16>(2)};
  entry.committed_at = wall(row.integer(3));
  entry.attempts = static_cast<std::uint32_t>(row.integer(4));
  return entry;
}

}  // namespace

OutboxTables::OutboxTables(Connection& connection, std::size_t fresh_bytes_max)
    : connection_(&connection),
      fresh_(fresh_bytes_max, *leases_),
      insert_owed_(connection.prepare(
          "INSERT INTO owed(destination,position,lane,delivery_id,committed_at,attempts) "
          "VALUES(?1,?2,?3,?4,?5,?6)")),
      insert_blocked_(connection.prepare(
          "INSERT INTO blocked(destination,position,lane,delivery_id,committed_at,attempts) "
          "VALUES(?1,?2,?3,?4,?5,?6)")),
      delete_owed_(connection.prepare("DELETE FROM owed WHERE destination=?1 AND position=?2")),
      delete_run_(connection.prepare(
          "DELETE FROM owed WHERE destination=?1 AND position BETWEEN ?2 AND ?3")),
      select_owed_(connection.prepare("SELECT position,lane,delivery_id,committed_at,attempts "
                                      "FROM owed WHERE destination=?1 AND position=?2")),
      scan_owed_(connection.prepare("SELECT position,lane,delivery_id,committed_at,attempts "
                                    "FROM owed WHERE destination=?1 AND position>?2 "
                                    "ORDER BY position LIMIT ?3")),
      update_owed_(
          connection.prepare("UPDATE owed SET attempts=?3 WHERE destination=?1 AND position=?2")),
      insert_settled_(connection.prepare(insert_settled_rows(1))),
      insert_eight_settled_(connection.prepare(insert_settled_rows(rows_at_once))),
      insert_parked_(connection.prepare(
          "INSERT INTO parked(destination,position,lane,delivery_id,committed_at,attempts,"
          "http_status,at,reason,evidence_headers,body_digest) "
          "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)")),
      delete_parked_(connection.prepare("DELETE FROM parked WHERE destination=?1 AND position=?2")),
      select_parked_(connection.prepare("SELECT position,lane,delivery_id,committed_at,attempts "
                                        "FROM parked WHERE destination=?1 AND position=?2")),
      unblock_(connection.prepare(
          "INSERT INTO owed(destination,position,lane,delivery_id,committed_at,attempts) "
          "SELECT destination,position,lane,delivery_id,committed_at,attempts FROM blocked "
          "WHERE destination=?1 AND lane=?2 AND position<?3")),
      delete_blocked_(connection.prepare(
          "DELETE FROM blocked WHERE destination=?1 AND lane=?2 AND position<?3")),
      delete_blocked_at_(
          connection.prepare("DELETE FROM blocked WHERE destination=?1 AND position=?2")),
      update_counts_(connection.prepare("UPDATE destinations SET paused=?2,owed=?3,blocked=?4,"
                                        "parked=?5,delivered=?6 WHERE id=?1")),
      insert_destination_(
          connection.prepare("INSERT INTO destinations(name,paused,owed,blocked,parked,delivered) "
                             "VALUES(?1,0,0,0,0,0)")) {}

void OutboxTables::load() {
  destinations_.clear();
  fresh_.clear();
  last_owed_ = 0;
  auto rows =
      connection_->prepare("SELECT id,name,paused,owed,blocked,parked,delivered FROM destinations");
  std::map<std::int64_t, Destination*> by_id;
  while (rows.step()) {
    Destination& to = destinations_[std::string{rows.bytes(1)}];
    to.id = rows.integer(0);
    to.paused = rows.integer(2) != 0;
    to.owed = rows.integer(3);
    to.blocked = rows.integer(4);
    to.parked = rows.integer(5);
    to.delivered = rows.integer(6);
    by_id[to.id] = &to;
  }
  auto parked = connection_->prepare("SELECT position,lane,delivery_id,destination FROM parked");
  while (parked.step()) {
    const auto position = static_cast<Position>(parked.integer(0));
    Destination& to = *by_id.at(parked.integer(3));
    to.parked_ids[Uuid{parked.exactly<16>(2)}] = position;
    to.parked_lanes[static_cast<std::uint64_t>(parked.integer(1))].insert(position);
  }
}

OutboxTables::Destination& OutboxTables::destination(std::string_view name) {
  const auto it = destinations_.find(name);
  if (it != destinations_.end()) return it->second;
  insert_destination_.bind_text(1, name).run();
  Destination& made = destinations_[std::string{name}];
  made.id = sqlite3_last_insert_rowid(connection_->handle());
  return made;
}

void OutboxTables::insert_owed(const Destination& to, const OwedEntry& entry) {
  insert_owed_.bind(1, to.id).bind(2, stored(entry.position)).bind(3, stored(entry.lane));
  insert_owed_.bind_blob(4, entry.delivery_id.bytes).bind(5, ms_of(entry.committed_at));
  insert_owed_.bind(6, entry.attempts).run();
}

void OutboxTables::insert_blocked(Destination& to, const OwedEntry& entry) {
  insert_blocked_.bind(1, to.id).bind(2, stored(entry.position)).bind(3, stored(entry.lane));
  insert_blocked_.bind_blob(4, entry.delivery_id.bytes).bind(5, ms_of(entry.committed_at));
  insert_blocked_.bind(6, entry.attempts).run();
  ++to.blocked;
  to.changed = true;
}

void OutboxTables::owe(std::string_view name, const OwedEntry& entry) {
  Destination& to = destination(name);
  if (to.blocks(entry.lane, entry.position))
    insert_blocked(to, entry);
  else
    insert_owed(to, entry);
  ++to.owed;
  to.changed = true;
  last_owed_ = entry.position;
}

std::optional<OwedEntry> OutboxTables::owed_at(const Destination& from, Position position) {
  select_owed_.bind(1, from.id).bind(2, stored(position));
  const RowGuard guard(select_owed_);
  if (!select_owed_.step()) return std::nullopt;
  return owed_row(select_owed_);
}

std::vector<OwedEntry> OutboxTables::lease(std::string_view name, Position after,
                                           std::size_t limit) {
  const auto it = destinations_.find(name);
  std::vector<OwedEntry> leased;
  if (it == destinations_.end()) return leased;
  Destination& from = it->second;
  std::vector<OwedEntry> waiting;
  // Bounded also when much of what it finds is blocked: the caller asks again from where it ended.
  scan_owed_.bind(1, from.id).bind(2, stored(after));
  scan_owed_.bind(3, static_cast<std::int64_t>(limit + 4096));
  {
    const RowGuard guard(scan_owed_);
    while (leased.size() < limit && scan_owed_.step()) {
      const OwedEntry entry = owed_row(scan_owed_);
      (from.blocks(entry.lane, entry.position) ? waiting : leased).push_back(entry);
    }
  }
  for (const OwedEntry& entry : waiting) {
    delete_owed_.bind(1, from.id).bind(2, stored(entry.position)).run();
    insert_blocked(from, entry);
  }
  leases_->add(from.id, leased);
  // Behind a parked diary others may wait: then only the tables know what can go.
  if (leased.size() < limit && from.parked_lanes.empty()) {
    const Position told = leased.empty() ? after : leased.back().position;
    fresh_.keeps_up(name, from.id, told, std::max(last_owed_, told) + 1);
  }
  return leased;
}

void OutboxTables::settle(std::string_view name, std::span<const Settlement> settlements) {
  Destination& to = destination(name);
  to.changed = true;
  std::vector<Position> delivered = leases_->end(to.id, settlements);
  // What is leased is owed, unless it has been moved aside because its lane is parked.
  if (!to.parked_lanes.empty()) delivered.clear();
  remove_leased(to, delivered);
  std::vector<const Settlement*> rows;
  rows.reserve(delivered.size());
  for (const Settlement& settlement : settlements) {
    if (std::ranges::binary_search(delivered, settlement.position))
      rows.push_back(&settlement);
    else
      settle_one(to, settlement);
  }
  std::ranges::sort(rows, {}, &Settlement::position);
  insert_delivered(to, rows);
  to.delivered += static_cast<std::int64_t>(rows.size());
  fresh_.settled(name, settlements);
  if (!to.parked_lanes.empty()) fresh_.behind(name);
}

// A statement a run of neighbours: what one group stored is mostly settled together.
void OutboxTables::remove_leased(Destination& from, std::span<const Position> positions) {
  for (std::size_t i = 0, next = 0; i < positions.size(); i = next) {
    for (next = i + 1; next < positions.size() && positions[next] == positions[next - 1] + 1;)
      ++next;
    delete_run_.bind(1, from.id).bind(2, stored(positions[i]));
    delete_run_.bind(3, stored(positions[next - 1])).run();
    from.owed -= sqlite3_changes(connection_->handle());
  }
}

void OutboxTables::settle_one(Destination& to, const Settlement& settlement) {
  switch (settlement.state) {
    case DeliveryState::delivered:
      return deliver(to, settlement);
    case DeliveryState::parked:
      return park(to, settlement);
    case DeliveryState::owed:
    case DeliveryState::leased:
    case DeliveryState::held:
      return owe_again(to, settlement);
  }
}

bool OutboxTables::remove_owed(Destination& from, Position position) {
  delete_owed_.bind(1, from.id).bind(2, stored(position)).run();
  if (sqlite3_changes(connection_->handle()) == 0) return false;
  --from.owed;
  return true;
}

void OutboxTables::bind_settled(Statement& row, int first, const Destination& to,
                                const Settlement& settlement) {
  row.bind(first, to.id).bind(first + 1, stored(settlement.position));
  row.bind(first + 2, settlement.attempts).bind(first + 3, settlement.http_status);
  row.bind(first + 4, ms_of(settlement.at)).bind_text(first + 5, settlement.reason);
  row.bind_text(first + 6, std::string_view(settlement.evidence_headers).substr(0, 1024));
  row.bind_blob(first + 7, settlement.body_digest);
}

void OutboxTables::insert_settled(const Destination& to, const Settlement& settlement) {
  bind_settled(insert_settled_, 1, to, settlement);
  insert_settled_.run();
}

// Half of what one row costs is the statement's.
void OutboxTables::insert_delivered(const Destination& to,
                                    std::span<const Settlement* const> settlements) {
  while (settlements.size() >= rows_at_once) {
    for (std::size_t i = 0; i < rows_at_once; ++i)
      bind_settled(insert_eight_settled_, static_cast<int>(1 + settled_columns * i), to,
                   *settlements[i]);
    insert_eight_settled_.run();
    settlements = settlements.subspan(rows_at_once);
  }
  for (const Settlement* settlement : settlements) insert_settled(to, *settlement);
}

void OutboxTables::deliver(Destination& to, const Settlement& settlement) {
  if (!remove_owed(to, settlement.position)) {
    // In flight when its lane was parked, and moved aside meanwhile: rare, so a scan will do.
    delete_blocked_at_.bind(1, to.id).bind(2, stored(settlement.position)).run();
    if (sqlite3_changes(connection_->handle()) == 0) return;
    --to.owed;
    --to.blocked;
  }
  insert_settled(to, settlement);
  ++to.delivered;
}

void OutboxTables::park(Destination& to, const Settlement& settlement) {
  const auto entry = owed_at(to, settlement.position);
  if (!entry || !remove_owed(to, settlement.position)) return;
  insert_parked_.bind(1, to.id).bind(2, stored(entry->position)).bind(3, stored(entry->lane));
  insert_parked_.bind_blob(4, entry->delivery_id.bytes).bind(5, ms_of(entry->committed_at));
  insert_parked_.bind(6, settlement.attempts).bind(7, settlement.http_status);
  insert_parked_.bind(8, ms_of(settlement.at)).bind_text(9, settlement.reason);
  insert_parked_.bind_text(10, std::string_view(settlement.evidence_headers).substr(0, 1024));
  insert_parked_.bind_blob(11, settlement.body_digest).run();
  to.parked_ids[entry->delivery_id] = entry->position;
  to.parked_lanes[entry->lane].insert(entry->position);
  ++to.parked;
}

void OutboxTables::owe_again(Destination& to, const Settlement& settlement) {
  update_owed_.bind(1, to.id).bind(2, stored(settlement.position));
  update_owed_.bind(3, settlement.attempts).run();
  if (to.parked_lanes.empty()) return;
  const auto entry = owed_at(to, settlement.position);
  if (!entry || !to.blocks(entry->lane, entry->position)) return;
  delete_owed_.bind(1, to.id).bind(2, stored(entry->position)).run();
  insert_blocked(to, *entry);
}

std::optional<OwedEntry> OutboxTables::unpark(Destination& from, Uuid delivery_id) {
  const auto id = from.parked_ids.find(delivery_id);
  if (id == from.parked_ids.end()) return std::nullopt;
  select_parked_.bind(1, from.id).bind(2, stored(id->second));
  std::optional<OwedEntry> entry;
  {
    const RowGuard guard(select_parked_);
    if (!select_parked_.step()) return std::nullopt;
    entry = owed_row(select_parked_);
  }
  delete_parked_.bind(1, from.id).bind(2, stored(entry->position)).run();
  from.parked_ids.erase(id);
  const auto lane = from.parked_lanes.find(entry->lane);
  lane->second.erase(entry->position);
  if (lane->second.empty()) from.parked_lanes.erase(lane);
  --from.parked;
  from.changed = true;
  return entry;
}

void OutboxTables::unblock(Destination& to, std::uint64_t lane) {
  const auto still = to.parked_lanes.find(lane);
  const std::int64_t before = still == to.parked_lanes.end()
                                  ? std::numeric_limits<std::int64_t>::max()
                                  : stored(*still->second.begin());
  unblock_.bind(1, to.id).bind(2, stored(lane)).bind(3, before).run();
  delete_blocked_.bind(1, to.id).bind(2, stored(lane)).bind(3, before).run();
  to.blocked -= sqlite3_changes(connection_->handle());
}

std::optional<OwedEntry> OutboxTables::redrive(std::string_view name, Uuid delivery_id) {
  const auto it = destinations_.find(name);
  if (it == destinations_.end()) return std::nullopt;
  auto entry = unpark(it->second, delivery_id);
  if (!entry) return std::nullopt;
  ++it->second.owed;
  insert_owed(it->second, *entry);
  unblock(it->second, entry->lane);
  return entry;
}

std::optional<OwedEntry> OutboxTables::skip(std::string_view name, Uuid delivery_id, WallTime at) {
  const auto it = destinations_.find(name);
  if (it == destinations_.end()) return std::nullopt;
  auto entry = unpark(it->second, delivery_id);
  if (!entry) return std::nullopt;
  Settlement settlement;
  settlement.position = entry->position;
  settlement.attempts = entry->attempts;
  settlement.reason = "skipped";
  settlement.at = at;
  insert_settled(it->second, settlement);
  unblock(it->second, entry->lane);
  return entry;
}

void OutboxTables::pause(std::string_view name, bool paused) {
  Destination& to = destination(name);
  to.paused = paused;
  to.changed = true;
}

std::uint64_t OutboxTables::begin_epoch() {
  const auto epoch =
      connection_->integer("SELECT coalesce((SELECT value FROM meta WHERE name='epoch'),0)") + 1;
  connection_->prepare("INSERT OR REPLACE INTO meta(name,value) VALUES('epoch',?1)")
      .bind(1, epoch)
      .run();
  leases_->clear();
  fresh_.clear();
  return static_cast<std::uint64_t>(epoch);
}

void OutboxTables::save_counts() {
  for (auto& [name, to] : destinations_) {
    if (!to.changed) continue;
    update_counts_.bind(1, to.id).bind(2, to.paused ? 1 : 0).bind(3, to.owed);
    update_counts_.bind(4, to.blocked).bind(5, to.parked).bind(6, to.delivered).run();
    to.changed = false;
  }
}

}  // namespace vesper
