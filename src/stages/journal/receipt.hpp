#pragma once
#include <string>
#include <string_view>

#include "model/journal.hpp"

namespace vesper {

/// Appends the receipt as JSON, members in a fixed order, so that a replay gets equal bytes.
///   Shape: `proof` leads from this diary to its group's signed link (docs/guides/proofs.md); null
///          for a diary that was stored before receipts were signed.
///   Bounds: about 450 bytes, 550 more with a proof and 67 for each halving of the group.
void write_receipt(std::string& out, const ReceiptFacts& facts);

/// The members of `proof` that all receipts of a group share, from `count` to its closing brace.
void write_group_proof(const GroupProof& proof, std::string& out);

inline constexpr std::string_view proof_format = "vesper-proof-1";
/// `sha256:` and 64 hexadecimal digits, appended.
void append_hash(std::string& out, const Hash& hash);
[[nodiscard]] std::string_view name_of(Disposition disposition);
[[nodiscard]] std::string_view name_of(HeldReason reason);
/// Of one bit; empty when no flag has it.
[[nodiscard]] std::string_view flag_name(std::uint8_t bit);

}  // namespace vesper
