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

Value of_option(const Option& option, const Value& raw) {
  Value value = raw;
  value.kind = kind_of(option.kind);
  if (option.kind == Option::Kind::coding) {
    value.text = PatientText{option.coding.code};
    value.system = PatientText{option.coding.system};
    value.display = PatientText{option.coding.display};
  }
  return value;
}

// A code alone: the one option that has it. Several: left without a system, for check() to tell.
Value chosen(const FormItem& item, const ItemPlan& plan, const Value& raw) {
  const OptionMatch match = find_code(item.options, plan.order, raw.text.reveal());
  if (match.count == 1) return of_option(item.options[match.first], raw);
  Value value = raw;
  const bool free_text =
      match.count == 0 && item.type == ItemType::open_choice && raw.kind == ValueKind::raw_text;
  value.kind = free_text || !plan.choice_of_codes ? ValueKind::string : ValueKind::coding;
  return value;
}

Value choice(const FormItem& item, const ItemPlan& plan, const Value& raw, bool stated) {
  if (raw.kind == ValueKind::raw_text) return chosen(item, plan, raw);
  if (raw.kind == ValueKind::coding) {
    if (raw.system.empty()) {
      Value value = chosen(item, plan, raw);
      if (value.kind == ValueKind::string && plan.choice_of_codes) value.kind = ValueKind::coding;
      return value;
    }
    const auto found = find_option(item.options, plan.order, raw);
    return found ? of_option(item.options[*found], raw) : raw;
  }
  // JSON numbers choose only among options that are integers.
  if (stated && raw.kind == ValueKind::raw_number && !plan.choice_of_codes) {
    Value value = raw;
    value.kind = ValueKind::integer;
    return value;
  }
  return raw;
}

// Fills the coded unit from the item's units by code or text; the item's only unit where none is
// stated.
Value with_unit(const FormItem& item, const Value& raw) {
  Value value = raw;
  value.kind = ValueKind::quantity;
  const auto& units = item.unit_options;
  const Coding* unit = nullptr;
  const std::string_view said = raw.code.empty() ? raw.display.reveal() : raw.code.reveal();
  const auto matches = [&](const Coding& c) {
    return (c.code == said || c.display == said) &&
           (raw.system.empty() || raw.system.reveal() == c.system);
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
  return value;
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

Value from_text(const FormItem& item, const Value& raw, bool stated) {
  Value value = raw;
  const std::string_view text = raw.text.reveal();
  if (item.type == ItemType::boolean && !stated) {
    if (text == "true" || text == "false" || text == "1" || text == "0") {
      value.kind = ValueKind::boolean;
      value.boolean = text == "true" || text == "1";
    }
    return value;
  }
  if (item.type == ItemType::quantity)
    return !stated && Decimal::parse(text) ? with_unit(item, raw) : value;
  value.kind = kind_of_text(item.type, stated);
  return value;
}

// XML may be laid out in lines: blanks around a value that is no free text mean nothing.
std::string_view without_margin(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace

Value typed(const Form& form, std::uint32_t index, const Value& sent, bool stated) {
  const FormItem& item = form.items[index];
  Value raw = sent;
  if (!stated && sent.kind == ValueKind::raw_text && item.type != ItemType::string &&
      item.type != ItemType::text)
    raw.text = PatientText{without_margin(sent.text.reveal())};
  if (item.type == ItemType::choice || item.type == ItemType::open_choice)
    return choice(item, form.check_plan->items[index], raw, stated);
  Value value = raw;
  switch (raw.kind) {
    case ValueKind::raw_number:
      if (item.type == ItemType::integer) value.kind = ValueKind::integer;
      if (item.type == ItemType::decimal) value.kind = ValueKind::decimal;
      return value;
    case ValueKind::raw_text:
      return from_text(item, raw, stated);
    case ValueKind::quantity:
      return item.type == ItemType::quantity ? with_unit(item, raw) : value;
    default:
      return value;
  }
}

}  // namespace vesper
