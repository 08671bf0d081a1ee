#include "stages/fhir/check/quantity.hpp"

#include <algorithm>

#include "stages/fhir/check/number.hpp"

namespace vesper {
namespace {

constexpr std::string_view ucum = "http://unitsofmeasure.org";

// UCUM: case-sensitive symbols of prefixes, and the units taken with them.
struct Prefix {
  std::string_view symbol;
  int power;
};
constexpr Prefix prefixes[] = {{"n", -9}, {"u", -6}, {"m", -3}, {"c", -2}, {"d", -1},
                               {"h", 2},  {"k", 3},  {"M", 6},  {"G", 9}};
constexpr std::string_view metric_units[] = {"m", "g", "L",  "l", "mol", "s",  "Pa", "J",  "W",
                                             "V", "A", "Hz", "N", "K",   "Bq", "Gy", "Sv", "cal"};

struct Metric {
  std::string_view base;
  int power = 0;
};

std::optional<Metric> metric_of(std::string_view code) {
  const auto base_of = [](std::string_view unit) -> std::string_view {
    if (std::ranges::find(metric_units, unit) == std::end(metric_units)) return {};
    return unit == "l" ? "L" : unit;  // UCUM has both spellings for the litre
  };
  if (const auto base = base_of(code); !base.empty()) return Metric{base, 0};
  for (const auto& [symbol, power] : prefixes)
    if (code.starts_with(symbol))
      if (const auto base = base_of(code.substr(symbol.size())); !base.empty())
        return Metric{base, power};
  return {};
}

// The power of ten that turns the value's unit into the limit's; nothing: not comparable.
std::optional<int> power_between(const Value& value, const Coding& unit) {
  const auto code = value.code.reveal(), system = value.system.reveal();
  if (!code.empty() && !unit.code.empty()) {
    if (system != unit.system) return {};
    if (code == unit.code) return 0;
    if (system != ucum) return {};
    const auto from = metric_of(code), into = metric_of(unit.code);
    if (!from || !into || from->base != into->base) return {};
    return from->power - into->power;
  }
  const auto said = value.display.empty() ? code : value.display.reveal();
  if (unit.code.empty() && unit.display.empty()) return 0;
  return said == unit.display || (!unit.code.empty() && said == unit.code) ? std::optional{0}
                                                                           : std::nullopt;
}

}  // namespace

bool check_unit(const FormItem& item, const Value& value, const FaultTeller& tell) {
  if (!item.units_known) {
    tell(IssueCode::not_supported,
         "the value set of units " + item.unit_value_set + " cannot be resolved");
    return false;
  }
  if (item.unit_options.empty()) return true;
  const bool permitted = std::ranges::any_of(item.unit_options, [&](const Coding& unit) {
    return unit.code == value.code.reveal() && unit.system == value.system.reveal();
  });
  if (!permitted) tell(IssueCode::code_invalid, "the unit is not one of the item's units");
  return permitted;
}

std::optional<std::strong_ordering> compare_quantity(const Value& value, std::string_view limit,
                                                     const Coding& limit_unit) {
  const auto number = Decimal::parse(value.text.reveal()), bound = Decimal::parse(limit);
  const auto power = power_between(value, limit_unit);
  if (!number || !bound || !power) return {};
  return number->shifted(*power) <=> *bound;
}

}  // namespace vesper
