#include "io/sqlite/connection.hpp"

#include <sqlite3.h>

#include <cstring>

namespace vesper {
namespace {

[[noreturn]] void fail(sqlite3* database, int code) {
  const int extended = database == nullptr ? code : sqlite3_extended_errcode(database);
  throw SqliteError(extended != SQLITE_OK ? extended : code,
                    database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database));
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

Statement::Statement(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) fail(database, code);
}

void Statement::check(int code) const {
  if (code != SQLITE_OK) [[unlikely]]
    fail(sqlite3_db_handle(statement_.get()), code);
}

Statement& Statement::bind(int index, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), index, value));
  return *this;
}

Statement& Statement::bind_text(int index, std::string_view text) {
  // A null pointer would bind NULL instead of an empty text.
  check(sqlite3_bind_text(statement_.get(), index, text.data() == nullptr ? "" : text.data(),
                          static_cast<int>(text.size()), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  check(sqlite3_bind_blob(statement_.get(), index, bytes.data() == nullptr ? "" : bytes.data(),
                          static_cast<int>(bytes.size()), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind_blob(int index, std::span<const std::uint8_t> bytes) {
  return bind_blob(index,
                   std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Statement& Statement::bind_null(int index) {
  check(sqlite3_bind_null(statement_.get(), index));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) [[unlikely]] {
    sqlite3* database = sqlite3_db_handle(statement_.get());
    const int extended = sqlite3_extended_errcode(database);
    const SqliteError error(extended, sqlite3_errmsg(database));
    reset();
    throw error;
  }
  reset();
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() noexcept {
  sqlite3_reset(statement_.get());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Statement::copy_exactly(int column, std::span<std::uint8_t> out) const {
  const auto found = bytes(column);
  if (found.size() != out.size()) throw SqliteError(SQLITE_CORRUPT, "a column has a wrong size");
  std::memcpy(out.data(), found.data(), out.size());
}

void Connection::Close::operator()(sqlite3* database) const noexcept {
  sqlite3_close_v2(database);
}

Connection::Connection(const std::string& path, Access access, const std::string& vfs) {
  const bool writes = access == Access::write;
  const int flags = (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (path.starts_with("file:") ? SQLITE_OPEN_URI : 0);
  sqlite3* database = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &database, flags, vfs.empty() ? nullptr : vfs.c_str());
  database_.reset(database);
  if (code != SQLITE_OK) fail(database, code);
  // One connection writes and checkpoints; every other only reads and, when closed last, must not
  // checkpoint either: SQLite before 3.51.3 can corrupt the log when two do.
  sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, writes ? 0 : 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  execute("PRAGMA mmap_size=0");
  if (!writes) {
    execute("PRAGMA query_only=1");
    return;
  }
  sqlite3_wal_hook(
      database,
      [](void* frames, sqlite3*, const char*, int count) {
        *static_cast<int*>(frames) = count;
        return SQLITE_OK;
      },
      wal_frames_.get());
}

void Connection::execute(const char* sql) {
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(database_.get(), code);
}

Statement Connection::prepare(std::string_view sql) {
  return {database_.get(), sql};
}

std::int64_t Connection::integer(std::string_view sql) {
  Statement statement = prepare(sql);
  const std::int64_t value = statement.step() ? statement.integer(0) : 0;
  statement.run();  // to its end: a failure may show only after the row
  return value;
}

std::string Connection::text(std::string_view sql) {
  Statement statement = prepare(sql);
  std::string value = statement.step() ? std::string{statement.bytes(0)} : std::string{};
  statement.run();
  return value;
}

int Connection::checkpoint_passive() {
  int in_log = 0, copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             &in_log, &copied);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) fail(database_.get(), code);
  // A log copied whole is begun anew by the next write.
  if (copied >= in_log) *wal_frames_ = 0;
  return in_log - copied;
}

bool Connection::checkpoint_truncate(int wait_ms) {
  sqlite3_busy_timeout(database_.get(), wait_ms);
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                             nullptr, nullptr);
  sqlite3_busy_timeout(database_.get(), 0);
  if ((code & 0xff) == SQLITE_BUSY) return false;
  if (code != SQLITE_OK) fail(database_.get(), code);
  *wal_frames_ = 0;
  return true;
}

}  // namespace vesper
