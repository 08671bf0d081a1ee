#pragma once
#include <string>
#include <string_view>

#include "model/journal.hpp"

namespace vesper {

/// Appends the receipt as JSON, members in a fixed order, so that a replay gets equal bytes.
///   Shape: `proof` is null until receipts are signed; its place is reserved.
void write_receipt(std::string& out, const ReceiptFacts& facts);

/// `sha256:` and 64 hexadecimal digits, appended.
void append_hash(std::string& out, const Hash& hash);
[[nodiscard]] std::string_view name_of(Disposition disposition);
[[nodiscard]] std::string_view name_of(HeldReason reason);

}  // namespace vesper
