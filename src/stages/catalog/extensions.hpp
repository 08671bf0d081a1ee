#pragma once
#include <optional>
#include <string_view>

#include "model/form.hpp"
#include "stages/catalog/lint.hpp"

namespace vesper {

/// The extensions of Questionnaire items that this server acts on.
///   Source: FHIR R4 extension registry; SDC 3.0.
namespace extension_url {
inline constexpr std::string_view min_value = "http://hl7.org/fhir/StructureDefinition/minValue",
                                  max_value = "http://hl7.org/fhir/StructureDefinition/maxValue",
                                  min_length = "http://hl7.org/fhir/StructureDefinition/minLength",
                                  regex = "http://hl7.org/fhir/StructureDefinition/regex",
                                  mime_type = "http://hl7.org/fhir/StructureDefinition/mimeType",
                                  max_size = "http://hl7.org/fhir/StructureDefinition/maxSize",
                                  ordinal = "http://hl7.org/fhir/StructureDefinition/ordinalValue",
                                  weight = "http://hl7.org/fhir/StructureDefinition/itemWeight";
inline constexpr std::string_view max_decimal_places =
    "http://hl7.org/fhir/StructureDefinition/maxDecimalPlaces";
inline constexpr std::string_view min_occurs =
    "http://hl7.org/fhir/StructureDefinition/questionnaire-minOccurs";
inline constexpr std::string_view max_occurs =
    "http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs";
inline constexpr std::string_view unit =
    "http://hl7.org/fhir/StructureDefinition/questionnaire-unit";
inline constexpr std::string_view unit_option =
    "http://hl7.org/fhir/StructureDefinition/questionnaire-unitOption";
inline constexpr std::string_view unit_value_set =
    "http://hl7.org/fhir/StructureDefinition/questionnaire-unitValueSet";
inline constexpr std::string_view hidden =
    "http://hl7.org/fhir/StructureDefinition/questionnaire-hidden";
inline constexpr std::string_view exclusive =
    "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive";
inline constexpr std::string_view reference_resource =
    "http://hl7.org/fhir/StructureDefinition/questionnaire-referenceResource";
inline constexpr std::string_view min_quantity =
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-minQuantity";
inline constexpr std::string_view max_quantity =
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxQuantity";
inline constexpr std::string_view extract =
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract";
inline constexpr std::string_view extract_category =
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
    "sdc-questionnaire-observation-extract-category";
}  // namespace extension_url

/// Calls `use(value)` with the value[x] of each extension of `element` with that URL.
template <class Use>
void each_extension(const JsonValue& element, std::string_view url, Use use) {
  const JsonValue* list = element.find("extension");
  if (list == nullptr || !list->is(JsonKind::array)) return;
  for (const JsonValue& extension : *list) {
    const JsonValue* name = extension.find("url");
    if (name == nullptr || name->text != url) continue;
    for (const JsonValue& member : extension)
      if (member.name.starts_with("value")) use(member);
  }
}

/// The value[x] of the first extension with that URL; nullptr when there is none.
[[nodiscard]] const JsonValue* find_extension(const JsonValue& element, std::string_view url);

/// Score of an answer option or a concept: ordinalValue, else itemWeight; digits as written.
[[nodiscard]] std::optional<std::string> find_score(const JsonValue& element);

/// Observation extraction as the element itself says; nothing when it says nothing.
[[nodiscard]] std::optional<bool> find_extract(const JsonValue& element);

/// Reads every extension that bounds or describes the answers of an item.
void read_item_extensions(const JsonValue& element, const std::string& path, Lint& lint,
                          FormItem& item);

}  // namespace vesper
