#include "stages/fhir/check/plan.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <limits>

#include "stages/fhir/check/number.hpp"
#include "stages/fhir/check/option.hpp"

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

void read_options(const FormItem& item, ItemPlan& plan, Issues& issues) {
  if (!item.options_known)
    tell(issues, item, fmt::format("the value set {} cannot be resolved", item.answer_value_set));
  if (!item.units_known)
    tell(issues, item, fmt::format("the value set {} cannot be resolved", item.unit_value_set));
  plan.order = order_of(item.options);
  plan.choice_of_codes = std::ranges::all_of(
      item.options, [](const Option& option) { return option.kind == Option::Kind::coding; });
}

// So that the commonest check needs no decimals.
void read_integer_bounds(const FormItem& item, ItemPlan& plan) {
  if (item.type != ItemType::integer) return;
  plan.least = item.min_value ? parse_integer(item.min_value->text)
                              : std::optional{std::numeric_limits<std::int32_t>::min()};
  plan.most = item.max_value ? parse_integer(item.max_value->text)
                             : std::optional{std::numeric_limits<std::int32_t>::max()};
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
    read_options(item, own, issues);
    read_integer_bounds(item, own);
    own.plain = !item.regex && item.options.empty() && item.options_known;
    own.counted = item.type == ItemType::group || item.min_occurs || item.max_occurs;
    plan->has_rows = plan->has_rows || (item.type == ItemType::group && item.repeats);
    plan->conditional = plan->conditional || !item.enable_when.empty();
  }
  for (const auto& [field, index] : form.by_field) plan->items[index].field = field;
  return plan;
}

}  // namespace vesper
