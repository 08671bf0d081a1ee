#pragma once
#include <optional>
#include <string_view>

#include "stages/catalog/lint.hpp"

namespace vesper {

/// The item type of a code of http://hl7.org/fhir/item-type; nothing when there is none.
[[nodiscard]] std::optional<ItemType> item_type_of(std::string_view code);

/// Judges one item by the invariants of Questionnaire.item: que-1, que-3 to que-6, que-8 to que-13.
void check_item_rules(const JsonValue& item, ItemType type, const std::string& path, Lint& lint);

/// Reads the answerOption list of an item.
void read_options(const JsonValue& item, const std::string& path, Lint& lint, FormItem& out);

/// Reads the enableWhen list of item number `index`, once all items are known; que-7.
void read_enable_when(const JsonValue& item, std::uint32_t index, const std::string& path,
                      Lint& lint, Form& form);

}  // namespace vesper
