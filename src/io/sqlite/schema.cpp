#include "io/sqlite/schema.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <tuple>

namespace vesper {
namespace {

// Version 1. Migrations only add; rows carry a format number and are never rewritten.
constexpr const char* version_1 = R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

-- What many diaries share, in its canonical encoding.
CREATE TABLE contexts(id INTEGER PRIMARY KEY, digest INTEGER NOT NULL, encoding BLOB NOT NULL)
  STRICT;
CREATE INDEX contexts_by_digest ON contexts(digest);

-- One row and one link of the audit chain a commit group.
CREATE TABLE groups(
  number INTEGER PRIMARY KEY, first_position INTEGER NOT NULL, diaries INTEGER NOT NULL,
  count INTEGER NOT NULL, committed_at INTEGER NOT NULL, link BLOB NOT NULL) STRICT;

CREATE TABLE diaries(
  position INTEGER PRIMARY KEY, format INTEGER NOT NULL, commit_group INTEGER NOT NULL,
  context INTEGER NOT NULL, disposition INTEGER NOT NULL, held_reason INTEGER NOT NULL,
  flags INTEGER NOT NULL, received_at INTEGER NOT NULL, submission_id BLOB NOT NULL,
  delivery_id BLOB NOT NULL, salt BLOB NOT NULL, content_hash BLOB NOT NULL,
  subject_id TEXT NOT NULL, authored TEXT NOT NULL, jti TEXT NOT NULL, caller_subject TEXT,
  amends BLOB, source BLOB NOT NULL) STRICT;

-- Idempotency keys: 8 bytes of the submission id, then the delivery id. Filled sorted, in runs.
CREATE TABLE keys(key BLOB PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Other bytes that came under a known id: evidence, never delivered.
CREATE TABLE conflicts(
  id INTEGER PRIMARY KEY, position INTEGER NOT NULL, received_at INTEGER NOT NULL,
  content_hash BLOB NOT NULL, jti TEXT NOT NULL, caller_subject TEXT NOT NULL,
  context BLOB NOT NULL, source BLOB NOT NULL) STRICT;
CREATE INDEX conflicts_by_position ON conflicts(position);

CREATE TABLE audit(
  id INTEGER PRIMARY KEY, format INTEGER NOT NULL, commit_group INTEGER NOT NULL,
  at INTEGER NOT NULL, action TEXT NOT NULL, actor TEXT NOT NULL, target TEXT NOT NULL,
  reason TEXT NOT NULL, attachment BLOB NOT NULL, salt BLOB NOT NULL) STRICT;
CREATE INDEX audit_by_group ON audit(commit_group);

CREATE TABLE trials(
  id INTEGER PRIMARY KEY, trial_id TEXT NOT NULL, revision INTEGER NOT NULL,
  document TEXT NOT NULL, published_by TEXT NOT NULL, reason TEXT NOT NULL,
  published_at INTEGER NOT NULL, UNIQUE(trial_id, revision)) STRICT;

-- Destinations ever owed to, with their counts as of the last commit.
CREATE TABLE destinations(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, paused INTEGER NOT NULL,
  owed INTEGER NOT NULL, blocked INTEGER NOT NULL, parked INTEGER NOT NULL,
  delivered INTEGER NOT NULL) STRICT;

-- A debt is in exactly one of owed, blocked, parked, settled.
CREATE TABLE owed(
  destination INTEGER NOT NULL, position INTEGER NOT NULL, lane INTEGER NOT NULL,
  delivery_id BLOB NOT NULL, committed_at INTEGER NOT NULL, attempts INTEGER NOT NULL,
  PRIMARY KEY(destination, position)) STRICT, WITHOUT ROWID;
CREATE TABLE blocked(
  destination INTEGER NOT NULL, lane INTEGER NOT NULL, position INTEGER NOT NULL,
  delivery_id BLOB NOT NULL, committed_at INTEGER NOT NULL, attempts INTEGER NOT NULL,
  PRIMARY KEY(destination, lane, position)) STRICT, WITHOUT ROWID;
CREATE TABLE parked(
  destination INTEGER NOT NULL, position INTEGER NOT NULL, lane INTEGER NOT NULL,
  delivery_id BLOB NOT NULL, committed_at INTEGER NOT NULL, attempts INTEGER NOT NULL,
  http_status INTEGER NOT NULL, evidence_headers TEXT NOT NULL, body_digest BLOB NOT NULL,
  reason TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(destination, position)) STRICT, WITHOUT ROWID;
CREATE TABLE settled(
  destination INTEGER NOT NULL, position INTEGER NOT NULL, attempts INTEGER NOT NULL,
  http_status INTEGER NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL,
  evidence_headers TEXT NOT NULL, body_digest BLOB NOT NULL,
  PRIMARY KEY(destination, position)) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* migrations[] = {version_1};
static_assert(std::size(migrations) == schema_version);

std::unexpected<OpenFailure> failure(OpenFault fault, std::string detail) {
  return std::unexpected(OpenFailure{fault, std::move(detail)});
}

// Debian 12 has 3.40.1, whose log can be corrupted by two connections that write or checkpoint at
// once (fixed in 3.51.3). Vesper has one that does either, so any version with STRICT tables will
// do; a library other than the one compiled against, or one without threads, will not.
std::expected<void, OpenFailure> check_library() {
  if (sqlite3_libversion_number() < 3037000)
    return failure(OpenFault::unsafe_sqlite,
                   fmt::format("SQLite {} is older than 3.37.0", sqlite3_libversion()));
  if (sqlite3_libversion_number() < SQLITE_VERSION_NUMBER)
    return failure(OpenFault::unsafe_sqlite,
                   fmt::format("linked SQLite {} is older than {} which this was built with",
                               sqlite3_libversion(), SQLITE_VERSION));
  if (sqlite3_threadsafe() == 0)
    return failure(OpenFault::unsafe_sqlite, "the linked SQLite was built without threads");
  return {};
}

void migrate(Connection& connection, std::int64_t from) {
  for (std::int64_t next = from; next < schema_version; ++next) {
    connection.execute("BEGIN IMMEDIATE");
    connection.execute(migrations[next]);
    connection.execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
                                   journal_application_id, next + 1)
                           .c_str());
  }
}

}  // namespace

std::expected<void, OpenFailure> prepare_schema(Connection& connection,
                                                const SqliteOptions& options) {
  if (auto checked = check_library(); !checked) return checked;
  const bool fresh = connection.integer("SELECT count(*) FROM sqlite_schema") == 0 &&
                     connection.integer("PRAGMA user_version") == 0;
  const auto application = connection.integer("PRAGMA application_id");
  const auto version = connection.integer("PRAGMA user_version");
  if (!fresh && application != journal_application_id)
    return failure(OpenFault::not_a_journal,
                   fmt::format("{} is a database of another application", options.path));
  if (version > schema_version)
    return failure(OpenFault::from_the_future,
                   fmt::format("{} has schema version {}, this program knows up to {}",
                               options.path, version, schema_version));
  if (fresh) connection.execute(fmt::format("PRAGMA page_size={}", options.page_bytes).c_str());
  if (fresh) std::ignore = connection.text("PRAGMA journal_mode=WAL");
  const auto mode = connection.text("PRAGMA journal_mode");
  const auto page = connection.integer("PRAGMA page_size");
  if (mode != "wal" || (page != 16384 && page != 8192 && page != options.page_bytes))
    return failure(OpenFault::wrong_settings,
                   fmt::format("{} has journal mode {} and pages of {} bytes; a journal has wal "
                               "and 16384",
                               options.path, mode, page));
  connection.execute(options.durability == Durability::full ? "PRAGMA synchronous=FULL"
                                                            : "PRAGMA synchronous=NORMAL");
  connection.execute(fmt::format("PRAGMA cache_size=-{}; PRAGMA temp_store=MEMORY; "
                                 "PRAGMA journal_size_limit=134217728; PRAGMA foreign_keys=OFF",
                                 options.cache_bytes / 1024)
                         .c_str());
  if (version < schema_version) migrate(connection, version);
  return {};
}

}  // namespace vesper
