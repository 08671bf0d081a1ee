#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/sqlite/connection.hpp"
#include "model/journal_rules.hpp"

namespace vesper {

/// The dictionary of what many diaries share: trial, form, site, issuer, key, destinations.
///   Bounds: a bounded number of contexts in memory; senders choose some of their texts, so the
///          memory is emptied, not grown, when there are more.
///   Thread: the journal's.
class Contexts {
 public:
  struct Known {
    std::int64_t id = 0;
    std::vector<std::string> destinations;
    EntryContext texts;  ///< views into the encoding it is known by
  };
  Contexts(Connection& connection, const JournalRules& rules);
  /// Stores it when new; inside a transaction. Valid until the next call. Throws SqliteError.
  const Known& intern(std::string_view encoding);
  void forget() { known_.clear(); }

 private:
  struct Hasher {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  [[nodiscard]] std::int64_t find_or_store(std::string_view encoding);

  static constexpr std::size_t known_max = 8192;
  const JournalRules* rules_;
  Connection* connection_;
  Statement select_, insert_;
  std::unordered_map<std::string, Known, Hasher, std::equal_to<>> known_;
};

}  // namespace vesper
