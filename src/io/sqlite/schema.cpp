#include "io/sqlite/schema.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <tuple>

#include "io/sqlite/schema_steps.hpp"

namespace vesper {
namespace {

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

// Each step is a transaction of its own: a crash between two leaves a version that is known.
void migrate(Connection& connection, std::int64_t from) {
  const auto steps = schema_steps();
  for (auto next = static_cast<std::size_t>(from); next < steps.size(); ++next) {
    connection.execute("BEGIN IMMEDIATE");
    connection.execute(steps[next]);
    connection.execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
                                   journal_application_id, next + 1)
                           .c_str());
  }
}

}  // namespace

int schema_version() {
  return static_cast<int>(schema_steps().size());
}

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
  if (version > schema_version())
    return failure(OpenFault::from_the_future,
                   fmt::format("{} has schema version {}, this program knows up to {}",
                               options.path, version, schema_version()));
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
  if (version < schema_version()) migrate(connection, version);
  return {};
}

}  // namespace vesper
