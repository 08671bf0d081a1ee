#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "io/sqlite/connection.hpp"
#include "model/group_proof.hpp"

namespace vesper {

/// The public halves of the keys that have signed this journal, oldest first: table receipt_keys.
///   Shape:  a key signs from its first group to the one before the next key's first.
///   Thread: filled while the journal is opened, then only read.
class ReceiptKeyTable {
 public:
  using Shared = std::shared_ptr<const ReceiptKeyFacts>;
  /// Throws SqliteError.
  void load(Connection& connection);
  /// Inside a transaction: `key` signs from `first_group` on. Throws SqliteError.
  void add(Connection& connection, ReceiptKeyFacts key);

  /// By its number in groups.receipt_key, from 1; nullptr: there is none.
  [[nodiscard]] Shared find(std::int64_t id) const;
  [[nodiscard]] std::int64_t newest() const { return static_cast<std::int64_t>(keys_.size()); }
  [[nodiscard]] const std::vector<Shared>& all() const { return keys_; }

 private:
  void keep(ReceiptKeyFacts key);
  std::vector<Shared> keys_;
};

}  // namespace vesper
