#include "stages/fhir/check/plan.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "stages/fhir/check/option.hpp"
#include "stages/fhir/check/value_sets.hpp"

namespace vesper {
namespace {

void tell(Issues& issues, const FormItem& item, std::string text) {
  issues.push_back({Severity::error, IssueCode::not_supported, IssueKind::form, std::move(text),
                    fmt::format("Questionnaire.item(linkId='{}')", item.link_id)});
}

void compile_pattern(const FormItem& item, ItemPlan& plan, Issues& issues) {
  if (!item.regex) return;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  auto pattern = std::make_shared<const re2::RE2>(*item.regex, options);
  if (pattern->ok()) {
    plan.pattern = std::move(pattern);
    return;
  }
  plan.pattern_broken = true;
  tell(issues, item, fmt::format("the regular expression is not supported: {}", pattern->error()));
}

void resolve_sets(const FormItem& item, ItemPlan& plan, Issues& issues) {
  plan.options_known = item.options_known;
  if (!item.options_known) {
    for (const auto& coding : known_value_set(item.answer_value_set)) {
      Option option;
      option.coding = coding;
      plan.built_in.push_back(std::move(option));
    }
    plan.options_known = !plan.built_in.empty();
    plan.built_in_order = order_of(plan.built_in);
    if (!plan.options_known)
      tell(issues, item, fmt::format("the value set {} cannot be resolved", item.answer_value_set));
  }
  plan.units_known = item.units_known;
  if (!item.units_known) {
    plan.built_in_units = known_value_set(item.unit_value_set);
    plan.units_known = !plan.built_in_units.empty();
    if (!plan.units_known)
      tell(issues, item, fmt::format("the value set {} cannot be resolved", item.unit_value_set));
  }
  plan.order = order_of(item.options);
  plan.choice_of_codes = std::ranges::all_of(
      item.options, [](const Option& option) { return option.kind == Option::Kind::coding; });
}

}  // namespace

std::shared_ptr<const CheckPlan> make_check_plan(const Form& form, Issues& issues) {
  auto plan = std::make_shared<CheckPlan>();
  plan->items.resize(form.items.size());
  for (std::uint32_t i = 0; i < form.items.size(); ++i) {
    const FormItem& item = form.items[i];
    ItemPlan& own = plan->items[i];
    own.field = item.link_id;
    const auto& siblings = item.parent == no_item ? form.roots : form.items[item.parent].children;
    own.ordinal = static_cast<std::uint32_t>(std::ranges::find(siblings, i) - siblings.begin());
    if (item.parent != no_item) {
      const FormItem& above = form.items[item.parent];
      own.scope = above.type == ItemType::group && above.repeats ? item.parent
                                                                 : plan->items[item.parent].scope;
    }
    compile_pattern(item, own, issues);
    resolve_sets(item, own, issues);
    plan->conditional = plan->conditional || !item.enable_when.empty();
  }
  for (const auto& [field, index] : form.by_field) plan->items[index].field = field;
  return plan;
}

}  // namespace vesper
