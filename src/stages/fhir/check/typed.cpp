#include <algorithm>

#include "stages/fhir/check/number.hpp"
#include "stages/fhir/check/option.hpp"
#include "stages/fhir/check/plan.hpp"
#include "stages/fhir/check/shape.hpp"
#include "stages/fhir/check/temporal.hpp"

namespace vesper {
namespace {

ValueKind kind_of(Option::Kind kind) {
  switch (kind) {
    case Option::Kind::coding:
      return ValueKind::coding;
    case Option::Kind::string:
      return ValueKind::string;
    case Option::Kind::integer:
      return ValueKind::integer;
    case Option::Kind::date:
      return ValueKind::date;
    case Option::Kind::time:
      return ValueKind::time;
    case Option::Kind::reference:
      return ValueKind::reference;
  }
  return ValueKind::coding;
}

void become(const Option& option, Value& value) {
  value.kind = kind_of(option.kind);
  if (option.kind == Option::Kind::coding) {
    value.text = PatientText{option.coding.code};
    value.system = PatientText{option.coding.system};
    value.display = PatientText{option.coding.display};
  }
}

// A code alone: the one option that has it. Several: left without a system, for check() to tell.
void choose(const FormItem& item, const ItemPlan& plan, Value& value) {
  const OptionMatch match = find_code(item.options, plan.order, value.text.reveal());
  if (match.count == 1) return become(item.options[match.first], value);
  const bool free_text =
      item.type == ItemType::open_choice && match.count == 0 && value.kind == ValueKind::raw_text;
  const bool of_texts = !plan.choice_of_codes && value.kind == ValueKind::raw_text;
  value.kind = free_text || of_texts ? ValueKind::string : ValueKind::coding;
}

void type_choice(const FormItem& item, const ItemPlan& plan, Value& value, bool stated) {
  if (value.kind == ValueKind::raw_text ||
      (value.kind == ValueKind::coding && value.system.empty())) {
    choose(item, plan, value);
  } else if (value.kind == ValueKind::coding) {
    const auto found = find_option(item.options, plan.order, value);
    if (found) become(item.options[*found], value);
  } else if (stated && value.kind == ValueKind::raw_number && !plan.choice_of_codes) {
    value.kind = ValueKind::integer;  // JSON numbers choose only among options that are integers
  }
}

// Fills the coded unit from the item's units by code or text; the item's only unit where none is
// stated.
void type_quantity(const FormItem& item, Value& value) {
  value.kind = ValueKind::quantity;
  const auto& units = item.unit_options;
  const Coding* unit = nullptr;
  const std::string_view said = value.code.empty() ? value.display.reveal() : value.code.reveal();
  const auto matches = [&](const Coding& c) {
    return (c.code == said || c.display == said) &&
           (value.system.empty() || value.system.reveal() == c.system);
  };
  if (said.empty()) {
    if (item.unit) unit = &*item.unit;
    if (unit == nullptr && units.size() == 1) unit = units.data();
  } else if (const auto it = std::ranges::find_if(units, matches); it != units.end()) {
    unit = &*it;
  } else if (item.unit && matches(*item.unit)) {
    unit = &*item.unit;
  }
  if (unit != nullptr) {
    value.system = PatientText{unit->system};
    value.code = PatientText{unit->code};
    value.display = PatientText{unit->display.empty() ? unit->code : unit->display};
  }
}

// Text of XML and ODM, or a JSON string, as an item's primitive type.
ValueKind kind_of_text(ItemType type, bool stated) {
  switch (type) {
    case ItemType::date:
      return ValueKind::date;
    case ItemType::date_time:
      return ValueKind::date_time;
    case ItemType::time:
      return ValueKind::time;
    case ItemType::string:
    case ItemType::text:
      return ValueKind::string;
    case ItemType::url:
      return ValueKind::uri;
    case ItemType::reference:
      return ValueKind::reference;
    case ItemType::integer:
      return stated ? ValueKind::raw_text : ValueKind::integer;
    case ItemType::decimal:
      return stated ? ValueKind::raw_text : ValueKind::decimal;
    default:
      return ValueKind::raw_text;
  }
}

void type_text(const FormItem& item, Value& value, bool stated) {
  const std::string_view text = value.text.reveal();
  if (item.type == ItemType::boolean) {
    if (!stated && (text == "true" || text == "false" || text == "1" || text == "0")) {
      value.kind = ValueKind::boolean;
      value.boolean = text == "true" || text == "1";
      value.text = {};
    }
  } else if (item.type == ItemType::quantity) {
    if (!stated && Decimal::parse(text)) type_quantity(item, value);
  } else {
    value.kind = kind_of_text(item.type, stated);
  }
}

// XML may be laid out in lines: blanks around a value that is no free text mean nothing.
std::string_view without_margin(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace

void type_value(const Form& form, std::uint32_t index, bool stated, Value& value) {
  const FormItem& item = form.items[index];
  if (!stated && value.kind == ValueKind::raw_text && item.type != ItemType::string &&
      item.type != ItemType::text)
    value.text = PatientText{without_margin(value.text.reveal())};
  if (item.type == ItemType::choice || item.type == ItemType::open_choice) {
    type_choice(item, form.check_plan->items[index], value, stated);
  } else if (value.kind == ValueKind::raw_number) {
    if (item.type == ItemType::integer) value.kind = ValueKind::integer;
    if (item.type == ItemType::decimal) value.kind = ValueKind::decimal;
  } else if (value.kind == ValueKind::raw_text) {
    type_text(item, value, stated);
  } else if (value.kind == ValueKind::quantity && item.type == ItemType::quantity) {
    type_quantity(item, value);
  }
}

}  // namespace vesper
