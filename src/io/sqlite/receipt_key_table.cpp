#include "io/sqlite/receipt_key_table.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace vesper {

void ReceiptKeyTable::load(Connection& connection) {
  keys_.clear();
  auto rows = connection.prepare(
      "SELECT kid,algorithm,public_key,first_group,made_at,id FROM receipt_keys ORDER BY id");
  while (rows.step()) {
    if (rows.integer(5) != newest() + 1)
      throw SqliteError(SQLITE_CORRUPT, "a receipt key is missing");
    keep({.kid = std::string{rows.bytes(0)},
          .algorithm = std::string{rows.bytes(1)},
          .public_key = std::string{rows.bytes(2)},
          .first_group = static_cast<std::uint64_t>(rows.integer(3)),
          .last_group = 0,
          .made_at = WallTime{std::chrono::milliseconds{rows.integer(4)}}});
  }
}

void ReceiptKeyTable::add(Connection& connection, ReceiptKeyFacts key) {
  auto insert = connection.prepare(
      "INSERT INTO receipt_keys(id,kid,algorithm,public_key,first_group,made_at) "
      "VALUES(?1,?2,?3,?4,?5,?6)");
  insert.bind(1, newest() + 1).bind_text(2, key.kid).bind_text(3, key.algorithm);
  insert.bind_blob(4, key.public_key).bind(5, static_cast<std::int64_t>(key.first_group));
  insert.bind(6, key.made_at.time_since_epoch().count()).run();
  keep(std::move(key));
}

void ReceiptKeyTable::keep(ReceiptKeyFacts key) {
  if (!keys_.empty()) {
    ReceiptKeyFacts before = *keys_.back();
    before.last_group = key.first_group - 1;
    keys_.back() = std::make_shared<const ReceiptKeyFacts>(std::move(before));
  }
  keys_.push_back(std::make_shared<const ReceiptKeyFacts>(std::move(key)));
}

ReceiptKeyTable::Shared ReceiptKeyTable::find(std::int64_t id) const {
  if (id < 1 || id > newest()) return nullptr;
  return keys_[static_cast<std::size_t>(id - 1)];
}

}  // namespace vesper
