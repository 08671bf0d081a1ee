#pragma once
#include <cstdint>
#include <memory>
#include <span>
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
  std::vector<Option> built_in;      ///< options of a value set this server knows itself
  std::vector<std::uint32_t> built_in_order;
  std::vector<Coding> built_in_units;
  bool options_known = true;  ///< false: no answer can be accepted
  bool units_known = true;
  bool choice_of_codes = true;  ///< options, if any, are codings
  std::shared_ptr<const re2::RE2> pattern;
  bool pattern_broken = false;  ///< a regular expression this server cannot evaluate
};

/// The compiled rules of one form.
///   Shape:  immutable; points at nothing in the form, so that a copy of a form may share it.
///   Thread: any number of shards at once.
struct CheckPlan {
  std::vector<ItemPlan> items;  ///< as Form::items
  bool conditional = false;     ///< some item has enableWhen
};

/// The options in force for an item: its own, or those of a value set known to this server.
struct OptionsView {
  std::span<const Option> options;
  std::span<const std::uint32_t> order;
};
[[nodiscard]] inline OptionsView options_of(const FormItem& item, const ItemPlan& plan) {
  if (!plan.built_in.empty()) return {plan.built_in, plan.built_in_order};
  return {item.options, plan.order};
}

/// Compiles the rules of `form`. To be set as Form::check_plan before the form is shared.
///   Errors: `issues` receives an error for each rule this server cannot evaluate (a regular
///           expression it has not, a value set it cannot resolve); answers to such items fail.
[[nodiscard]] std::shared_ptr<const CheckPlan> make_check_plan(const Form& form, Issues& issues);

}  // namespace vesper
