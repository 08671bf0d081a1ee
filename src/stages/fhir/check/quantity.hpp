#pragma once
#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "model/diary.hpp"
#include "model/form.hpp"
#include "model/issue.hpp"

namespace vesper {

/// Where a check that knows no place tells its faults. Called only on a fault.
using FaultTeller = std::function<void(IssueCode, std::string)>;

/// Checks the unit of a quantity against the units that the item permits.
///   Shape: false when the unit is not permitted: limits then say nothing.
[[nodiscard]] bool check_unit(const FormItem& item, const Value& value, const FaultTeller& tell);

/// Compares a quantity with a limit, exactly.
///   Shape:  units are the same code of the same system, or the same text where one has no code, or
///           UCUM units that differ by a metric prefix alone (m and km, mg and kg).
///   Errors: nothing when units differ otherwise: this server converts nothing else.
[[nodiscard]] std::optional<std::strong_ordering> compare_quantity(const Value& value,
                                                                   std::string_view limit,
                                                                   const Coding& limit_unit);

}  // namespace vesper
