#include "io/sqlite/schema_steps.hpp"

#include <array>

namespace vesper {
namespace {

// Steps only add; rows carry a format number and are never rewritten.
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

// Receipts are signed, once a group. `leaves`: 32 bytes each, so that an inclusion path can be read
// without the rows it leads past; nothing in groups and conflicts stored before.
constexpr const char* version_2 = R"sql(
CREATE TABLE receipt_keys(
  id INTEGER PRIMARY KEY, kid TEXT NOT NULL UNIQUE, algorithm TEXT NOT NULL,
  public_key BLOB NOT NULL, first_group INTEGER NOT NULL, made_at INTEGER NOT NULL) STRICT;
ALTER TABLE groups ADD COLUMN receipt_key INTEGER;
ALTER TABLE groups ADD COLUMN signature BLOB;
ALTER TABLE groups ADD COLUMN leaves BLOB;
ALTER TABLE conflicts ADD COLUMN commit_group INTEGER;
ALTER TABLE conflicts ADD COLUMN salt BLOB;
)sql";

// One line a version, in order; the next one goes last.
constexpr std::array steps{
    version_1,
    version_2,
};

}  // namespace

std::span<const char* const> schema_steps() {
  return steps;
}

}  // namespace vesper
