#pragma once
#include "stages/fhir/check/quantity.hpp"

namespace vesper {

/// The resource type that a literal reference names: `Patient/1`, `https://x/fhir/Patient/1`, with
/// or without `/_history/2`; empty for a fragment, a urn and other urls without one.
[[nodiscard]] std::string_view type_of_reference(std::string_view reference);

/// Whether FHIR R4 has a resource of this name.
[[nodiscard]] bool is_resource_type(std::string_view name);

/// Checks a literal reference: its grammar, that it names a resource type of R4, and that the item
/// permits this type.
void check_reference(const FormItem& item, const Value& value, const FaultTeller& tell);

}  // namespace vesper
