#pragma once
#include <span>

#include "base/arena.hpp"
#include "model/diary.hpp"
#include "model/form.hpp"
#include "model/issue.hpp"

namespace vesper {

/// Gives the raw answers of a diary the form's shape: items nested as in the form, values typed by
/// their item, codings with system and display of the option, quantities with their coded unit.
///   Shape:  a value that its item cannot take stays raw, for check() to tell; a name that the form
///           has not there is told here, as `answers.<name>`. Groups appear when something in them
///           is answered; each row of a repeating group appears.
///   Bounds: no memory but the arena's when nothing is told.
///   Why:    JSON states types, so "4" is no integer there; in XML and ODM all is text, so the item
///           decides.
[[nodiscard]] std::span<ResponseItem> shape(const Form& form, const Diary& diary, Arena& arena,
                                            Issues& issues);

/// Types one raw value by its item; it stays as it is when the item cannot take it.
///   Shape: `stated`: the syntax states types (JSON).
void type_value(const Form& form, std::uint32_t item, bool stated, Value& value);

}  // namespace vesper
