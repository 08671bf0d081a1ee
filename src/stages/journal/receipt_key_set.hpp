#pragma once
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/group_proof.hpp"

namespace vesper {

/// The JWK set that GET /.well-known/vesper-receipt-keys serves.
///   Shape: RFC 7517 and 8037, and per key `chain`, `firstGroup` and, once another has followed it,
///          `lastGroup`: the groups of that chain that it signed.
[[nodiscard]] std::string write_key_set(std::span<const ReceiptKeyFacts> keys, Uuid chain);

/// Reads such a set; keys of other kinds are passed over.
///   Errors: one sentence.
[[nodiscard]] std::expected<std::vector<ReceiptKeyFacts>, std::string> read_key_set(
    std::string_view text);

}  // namespace vesper
