#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/form.hpp"
#include "model/issue.hpp"

namespace re2 {
class RE2;
}

namespace vesper {

/// What checking needs to know of one item beside the form, worked out once.
struct ItemPlan {
  std::string field;                 ///< its name in raw diaries
  std::uint32_t ordinal = 0;         ///< its place among its siblings
  std::uint32_t scope = no_item;     ///< the nearest repeating group that encloses it
  std::vector<std::uint32_t> order;  ///< of its options (order_of)
  bool plain = true;                 ///< neither a pattern nor options to hold an answer against
  bool counted = false;              ///< bounds other than required and repeats, or a group
  bool choice_of_codes = true;       ///< options, if any, are codings
  std::optional<std::int32_t> least, most;  ///< of an integer item, where both bounds are integers
  std::shared_ptr<const re2::RE2> pattern;
  bool pattern_broken = false;  ///< a regular expression this server cannot evaluate
};

/// The compiled rules of one form.
///   Shape:  immutable; points at nothing in the form, so that a copy of a form may share it.
///   Thread: any number of shards at once.
struct CheckPlan {
  std::vector<ItemPlan> items;  ///< as Form::items
  bool conditional = false;     ///< some item has enableWhen
  bool has_rows = false;        ///< some group repeats
};

/// Compiles the rules of `form`. To be set as Form::check_plan before the form is shared.
///   Errors: `issues` receives an error for each rule this server cannot evaluate (a regular
///           expression it has not, a value set it cannot resolve); answers to such items fail.
[[nodiscard]] std::shared_ptr<const CheckPlan> make_check_plan(const Form& form, Issues& issues);

}  // namespace vesper
