#pragma once
#include <cstdint>
#include <expected>
#include <string>

#include "io/sqlite/connection.hpp"
#include "io/sqlite/receipt_key_table.hpp"
#include "model/journal_rules.hpp"

namespace vesper {

/// Where a verified part of the chain ends.
struct ChainEnd {
  std::uint64_t group = 0;
  Hash link{};     ///< of that group
  Hash carried{};  ///< what it hands to the next; for group 0 the chain's genesis
  Position next_position = 1;
  std::int64_t last_event = 0, last_conflict = 0;   ///< ids
  std::int64_t last_key = 0;                        ///< receipt key of that group; 0: not signed
  std::uint64_t signed_groups = 0, signatures = 0;  ///< `signatures`: verified
};

enum class SignatureCheck : std::uint8_t {
  last_of_each_key,  ///< a signature vouches for all before it, their signatures too
  every
};

/// Told of each diary in order, while the chain is verified.
class DiaryObserver {
 public:
  struct Seen {
    Position position;
    const Uuid& submission_id;
    const Uuid& delivery_id;
    Disposition disposition;
    std::int64_t context;
    std::string_view encoding;  ///< of the context
  };
  virtual ~DiaryObserver() = default;
  virtual void see(const Seen& diary) = 0;
};

/// Verifies all groups after `from`: source against content hash, rows against leaves, leaves
/// against root, roots against links, signatures, positions and numbers for gaps.
///   Errors: what does not verify, naming the group, never content. Throws SqliteError.
[[nodiscard]] std::expected<ChainEnd, std::string> verify_chain(
    Connection& connection, const JournalRules& rules, const ReceiptKeyTable& keys, Uuid chain_id,
    ChainEnd from, SignatureCheck check, DiaryObserver* observer = nullptr);

}  // namespace vesper
