#pragma once
#include <cstdint>

#include "stages/fhir/check/report.hpp"

namespace vesper {

/// Checks one answer of `node` by itself: type, grammar, options, range, length, pattern, unit,
/// attachment and reference rules.
///   Errors: each fault goes to `report`; several of one value are all told.
void check_value(const Form& form, const Node& node, std::uint32_t answer, Report& report);

}  // namespace vesper
