#pragma once
#include <span>

#include "base/arena.hpp"
#include "stages/fhir/check/enable.hpp"
#include "stages/fhir/check/report.hpp"

namespace vesper {

/// Finds for each item of a response the form's item it answers, and tells the faults of structure:
/// unknown linkIds, wrong parent, wrong order, answers of groups, children at the wrong level.
///   Shape:  returns the roots, siblings in the form's order; items that the form has not there are
///           left out. `index` is filled when it is not empty.
///   Bounds: follows response_depth_max levels; deeper is a fault.
[[nodiscard]] std::span<Node> bind_response(const Form& form, std::span<const ResponseItem> items,
                                            Arena& arena, NodeIndex index, Report& report);

}  // namespace vesper
