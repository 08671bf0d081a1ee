#pragma once
#include <string_view>
#include <vector>

#include "model/form.hpp"

namespace vesper {

/// The codes of the few standard value sets that this server resolves by itself: offline, and the
/// same for every trial. Their displays bind: a wrong one is a fault.
///   Shape:  `canonical` may carry a version (`url|4.0.1`), which is not compared.
///   Errors: empty when the set is not among them.
///   Source: FHIR R4 administrative-gender, item-type, yesnodontknow; the countries of jurisdiction
///           (ISO 3166-1 alpha-2; its subdivisions are not held).
[[nodiscard]] std::vector<Coding> known_value_set(std::string_view canonical);

/// Whether two displays say the same but for case and doubled blanks.
[[nodiscard]] bool same_display(std::string_view a, std::string_view b);

}  // namespace vesper
