#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "model/group_proof.hpp"

namespace vesper {

/// One anchor: a signed link as a line of JSON, with its newline. Bounds: 400 bytes.
[[nodiscard]] std::string write_anchor(const SignedLink& link);

/// The anchors of a file, one a line, in the order written. A last line that has no newline
/// and does not read was cut while it was written, and is passed over.
///   Errors: one sentence that names the line.
[[nodiscard]] std::expected<std::vector<SignedLink>, std::string> read_anchors(
    std::string_view text);

}  // namespace vesper
