#pragma once
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "base/sip_hash.hpp"
#include "io/sqlite/journal_options.hpp"
#include "io/sqlite/verify_chain.hpp"
#include "model/journal_rules.hpp"

namespace vesper {

/// What a journal is held against.
struct VerifyRequest {
  std::string path;
  /// The keys that are trusted; empty: those the journal names itself, which proves nothing against
  /// whoever holds it.
  std::span<const ReceiptKeyFacts> keys;
  std::span<const SignedLink> anchors;  ///< or the links that receipts state
  SignatureCheck signatures = SignatureCheck::last_of_each_key;
  HashSeed seed;  ///< fresh: nobody can aim at it
};

struct VerifyReport {
  std::string fault;  ///< in plain words; empty: all verifies
  Uuid chain_id;
  std::uint64_t diaries = 0, groups = 0, signed_groups = 0, signatures = 0, events = 0,
                conflicts = 0;
  Hash link{};                    ///< of the last group
  std::uint64_t anchored_to = 0;  ///< the newest group that an anchor vouches for; 0: none
};

/// Verifies a journal that no server has open, or a copy of one, without writing to it.
///   Errors: it cannot be read at all; from the future, not a journal, in use.
[[nodiscard]] std::expected<VerifyReport, OpenFailure> verify_journal(const VerifyRequest& request,
                                                                      const JournalRules& rules);

}  // namespace vesper
