#include "io/sqlite/contexts.hpp"

#include <sqlite3.h>

#include <cstring>

namespace vesper {

Contexts::Contexts(Connection& connection, const JournalRules& rules)
    : rules_(&rules),
      connection_(&connection),
      select_(connection.prepare("SELECT id,encoding FROM contexts WHERE digest=?1")),
      insert_(connection.prepare("INSERT INTO contexts(digest,encoding) VALUES(?1,?2)")) {}

const Contexts::Known& Contexts::intern(std::string_view encoding) {
  if (const auto it = known_.find(encoding); it != known_.end()) return it->second;
  if (known_.size() >= known_max) known_.clear();
  const std::int64_t id = find_or_store(encoding);
  const auto it = known_.try_emplace(std::string{encoding}).first;
  Known& known = it->second;
  if (!rules_->decode_context(it->first, known.texts)) {
    known_.erase(it);
    throw SqliteError(SQLITE_CORRUPT, "a context does not decode");
  }
  known.id = id;
  for (const auto destination : known.texts.destinations)
    known.destinations.emplace_back(destination);
  return known;
}

std::int64_t Contexts::find_or_store(std::string_view encoding) {
  const Hash hash = rules_->content_hash(encoding);
  std::int64_t digest = 0;
  std::memcpy(&digest, hash.data(), sizeof digest);
  select_.bind(1, digest);
  const RowGuard guard(select_);
  while (select_.step())
    if (select_.bytes(1) == encoding) return select_.integer(0);
  insert_.bind(1, digest).bind_blob(2, encoding).run();
  return sqlite3_last_insert_rowid(connection_->handle());
}

}  // namespace vesper
