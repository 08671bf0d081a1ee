#pragma once
#include <cstdint>
#include <span>

#include "stages/fhir/check/report.hpp"

namespace vesper {

/// Whether the conditions of an item hold.
///   Shape: `unclear` is `!=` on a question without an answer: R4's words make it true, most
///          renderers make it false. The item may then be answered and may be left out.
enum class Enabled : std::uint8_t { no, unclear, yes };

/// The nodes of one response by the form's item they answer, for enableWhen.
///   Shape: `first[i]` starts a chain through Node::next_same.
struct NodeIndex {
  std::span<Node*> first;
};

/// Evaluates enableWhen of `item`, which stands or would stand below `above_answer` of `above`.
///   Shape: a question inside a repeating group counts in the same repetition when the item is in
///          it too, else in every repetition; any of several answers may satisfy a condition. The
///          ancestors of the item are the caller's concern.
[[nodiscard]] Enabled evaluate_enable_when(const Form& form, std::uint32_t item, const Node* above,
                                           std::uint32_t above_answer, const NodeIndex& index);

}  // namespace vesper
