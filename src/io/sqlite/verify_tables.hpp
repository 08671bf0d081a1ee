#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/sip_hash.hpp"
#include "io/sqlite/verify_chain.hpp"

namespace vesper {

/// What the chain does not bind but determines: idempotency keys, debts and their counts, the
/// dictionary, trials.
///   Shape:  see() every diary while the chain is verified, then verify(). Sets are compared by a
///   sum
///           of keyed hashes: a row too few, too many or changed gives another sum.
///   Bounds: 8 bytes a held diary, one entry a context.
///   Errors: what does not agree. Throws SqliteError.
class TableVerifier final : public DiaryObserver {
 public:
  TableVerifier(Connection& connection, const JournalRules& rules, HashSeed seed);
  void see(const Seen& diary) override;
  [[nodiscard]] std::optional<std::string> verify(const ChainEnd& end);

 private:
  using Fault = std::optional<std::string>;
  struct Context {
    std::vector<std::int64_t> destinations;
    bool known = true;  ///< every destination has a row
  };
  [[nodiscard]] const Context& context_of(const Seen& diary);
  [[nodiscard]] std::uint64_t hash_of(std::string_view key, std::uint64_t position) const;
  [[nodiscard]] std::uint64_t hash_of(std::int64_t destination, std::uint64_t position) const;
  [[nodiscard]] Fault verify_keys(const ChainEnd& end);
  [[nodiscard]] Fault verify_contexts();
  [[nodiscard]] Fault verify_counted_rows();
  [[nodiscard]] Fault verify_debts();
  [[nodiscard]] Fault verify_open_debts(const std::string& table);
  [[nodiscard]] Fault verify_counts();
  [[nodiscard]] Fault verify_meta(const ChainEnd& end);

  Connection& connection_;
  const JournalRules& rules_;
  const HashSeed seed_;
  std::uint64_t indexed_to_;
  std::uint64_t keys_ = 0, debts_ = 0;  ///< sums
  bool destination_missing_ = false;
  std::unordered_map<std::string, std::int64_t> destinations_;
  std::unordered_map<std::int64_t, Context> contexts_;
  std::unordered_set<Position> held_;  ///< a released one may be owed, another not
};

}  // namespace vesper
