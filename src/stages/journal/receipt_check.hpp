#pragma once
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/group_proof.hpp"

namespace vesper {

/// A receipt as somebody hands it in.
struct ShownReceipt {
  ReceiptFacts facts;  ///< `proof` stays empty; `group_hash` is the link it states
  bool signed_one = false;
  std::vector<Hash> path;
  GroupSeal seal;  ///< its root is what the path comes to
  std::string kid, algorithm;
  Signature signature{};
};

/// Reads a receipt, or the answer of GET /patient/data/{id} that has one in it.
///   Bounds: a path of at most 32 steps.
///   Errors: one sentence that names the member.
[[nodiscard]] std::expected<ShownReceipt, std::string> read_receipt(std::string_view text);

/// Whether the receipt proves what it says: leaf, path, link, key and signature; and, with
/// `source`, that these are the bytes it is for. Needs nothing but its arguments.
///   Errors: what does not hold, in plain words.
[[nodiscard]] std::expected<void, std::string> check_receipt(
    const ShownReceipt& receipt, std::span<const ReceiptKeyFacts> keys,
    std::optional<std::string_view> source);

/// The one key of `kid`, if it was in force at `group`.
///   Errors: a sentence.
[[nodiscard]] std::expected<const ReceiptKeyFacts*, std::string> key_for(
    std::span<const ReceiptKeyFacts> keys, std::string_view kid, std::string_view algorithm,
    std::uint64_t group);

}  // namespace vesper
