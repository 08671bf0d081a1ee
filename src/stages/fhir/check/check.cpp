#include "stages/fhir/check/check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/ensure.hpp"
#include "stages/fhir/check/bind.hpp"
#include "stages/fhir/check/enable.hpp"
#include "stages/fhir/check/option.hpp"
#include "stages/fhir/check/plan.hpp"
#include "stages/fhir/check/value_check.hpp"

namespace vesper {
namespace {

// The nodes of one form item among their siblings.
struct Tally {
  std::span<Node> nodes;
  std::uint32_t count = 0;  // repetitions of a group, answers of a question
};

bool has_content(const ResponseItem& item, int depth = 0) {
  if (!item.answers.empty() || depth > response_depth_max) return true;
  return std::ranges::any_of(item.items,
                             [&](const ResponseItem& i) { return has_content(i, depth + 1); });
}

// An answer without a value may carry nested items (R4: value 0..1): then it answers nothing. One
// with neither counts, so that it is told once, as the fault it is.
bool says_nothing(const ResponseAnswer& answer) {
  return answer.value.kind == ValueKind::none && !answer.items.empty();
}
std::uint32_t values_of(const ResponseItem& item) {
  return static_cast<std::uint32_t>(item.answers.size() -
                                    std::ranges::count_if(item.answers, says_nothing));
}

class Checker {
 public:
  Checker(const Form& form, const NodeIndex& index, Report& report)
      : form_(form), plan_(*form.check_plan), index_(index), report_(report) {}

  // `form_items` are the form's siblings, `nodes` the response's, both in the form's order.
  void level(std::span<const std::uint32_t> form_items, std::span<Node> nodes, const Node* above,
             std::uint32_t above_answer) {
    for (const std::uint32_t item : form_items) {
      const Tally tally = take(item, nodes);
      const Enabled enabled = plan_.conditional
                                  ? evaluate_enable_when(form_, item, above, above_answer, index_)
                                  : Enabled::yes;
      if (enabled == Enabled::no) {
        for (const Node& node : tally.nodes)
          if (has_content(*node.item))
            report_.at(&node, IssueCode::invariant,
                       "the item is not enabled by the other answers and must be left out");
        continue;
      }
      if (tally.count != 1 || plan_.items[item].counted)
        cardinality(item, tally, enabled, above, above_answer);
      for (const Node& node : tally.nodes) one(node);
    }
  }

 private:
  Tally take(std::uint32_t item, std::span<Node>& nodes) const {
    Tally tally;
    std::size_t n = 0;
    const bool group = form_.items[item].type == ItemType::group;
    for (; n < nodes.size() && nodes[n].form_item == item; ++n)
      tally.count += group ? 1 : values_of(*nodes[n].item);
    tally.nodes = nodes.first(n);
    nodes = nodes.subspan(n);
    return tally;
  }

  void cardinality(std::uint32_t index, const Tally& tally, Enabled enabled, const Node* above,
                   std::uint32_t above_answer) {
    const FormItem& item = form_.items[index];
    if (item.type == ItemType::display) return;
    const Node* first = tally.nodes.empty() ? nullptr : tally.nodes.data();
    const auto tell = [&](IssueCode code, std::string text) {
      report_.cardinality(first, above, above_answer, index, code, std::move(text));
    };
    const bool must = enabled == Enabled::yes;
    if (must && item.required && tally.count == 0)
      tell(IssueCode::required, fmt::format("the item {} is required", item.link_id));
    else if (must && item.min_occurs && tally.count < *item.min_occurs)
      tell(IssueCode::required, fmt::format("the item {} needs at least {} {}", item.link_id,
                                            *item.min_occurs, counted(item)));
    if (tally.count > 1 && !item.repeats)
      tell(IssueCode::structure, fmt::format("the item {} does not repeat: at most one of its {}",
                                             item.link_id, counted(item)));
    else if (item.max_occurs && tally.count > *item.max_occurs)
      tell(IssueCode::structure, fmt::format("the item {} takes at most {} {}", item.link_id,
                                             *item.max_occurs, counted(item)));
    if (item.type == ItemType::group && item.required) needs_children(item, tally);
    if (tally.count > 1) exclusive(index, tally);
  }
  static std::string_view counted(const FormItem& item) {
    return item.type == ItemType::group ? "repetitions" : "answers";
  }

  void needs_children(const FormItem& item, const Tally& tally) {
    for (const Node& node : tally.nodes)
      if (node.item->items.empty())
        report_.cardinality(&node, node.above, node.above_answer, node.form_item,
                            IssueCode::required,
                            fmt::format("the required group {} needs a child", item.link_id));
  }

  void exclusive(std::uint32_t index, const Tally& tally) {
    const auto& options = form_.items[index].options;
    const auto& order = plan_.items[index].order;
    if (std::ranges::none_of(options, &Option::exclusive)) return;
    for (const Node& node : tally.nodes)
      for (std::uint32_t i = 0; i < node.item->answers.size(); ++i) {
        const auto found = find_option(options, order, node.item->answers[i].value);
        if (found && options[*found].exclusive)
          report_.at_value(node, i, IssueCode::invariant,
                           "this option excludes every other answer to its question");
      }
  }

  void one(const Node& node) {
    const FormItem& item = form_.items[node.form_item];
    if (item.type == ItemType::group) return level(item.children, node.children, &node, 0);
    const auto answers = static_cast<std::uint32_t>(node.item->answers.size());
    for (std::uint32_t i = 0; i < answers; ++i) {
      if (!says_nothing(node.item->answers[i])) check_value(form_, node, i, report_);
      if (!item.children.empty())
        level(item.children, node.below.empty() ? std::span<Node>{} : node.below[i], &node, i);
    }
  }

  const Form& form_;
  const CheckPlan& plan_;
  const NodeIndex& index_;
  Report& report_;
};

// Items and answers, however deep.
std::size_t parts_of(std::span<const ResponseItem> items, int depth = 0) {
  std::size_t count = items.size();
  if (depth > response_depth_max) return count;
  for (const ResponseItem& item : items) {
    count += item.answers.size();
    if (!item.items.empty()) count += parts_of(item.items, depth + 1);
    for (const ResponseAnswer& answer : item.answers)
      if (!answer.items.empty()) count += parts_of(answer.items, depth + 1);
  }
  return count;
}

void check_period(const Form& form, const Response& response, Report& report) {
  if (!response.authored) return;
  const char* const path =
      response.terms == Terms::fhir ? "QuestionnaireResponse.authored" : "authored";
  if (form.effective_from && *response.authored < *form.effective_from)
    report.warn(path, IssueCode::invalid, "authored lies before the form's effectivePeriod");
  if (form.effective_to && *response.authored > *form.effective_to)
    report.warn(path, IssueCode::invalid, "authored lies after the form's effectivePeriod");
}

}  // namespace

void check(const Form& form, const Response& response, Arena& arena, Issues& issues) {
  ensure(form.check_plan != nullptr);
  const bool lenient =
      response.status != ResponseStatus::completed && response.status != ResponseStatus::amended;
  Report report(form, response.terms, lenient, issues);
  if (parts_of(response.items) > response_parts_max)
    return report.at(
        nullptr, IssueCode::too_long,
        fmt::format("a response has at most {} items and answers", response_parts_max));
  NodeIndex index;
  if (form.check_plan->conditional) index.first = arena.array<Node*>(form.items.size());
  const auto roots = bind_response(form, response.items, arena, index, report);
  Checker{form, index, report}.level(form.roots, roots, nullptr, 0);
  check_period(form, response, report);
}

}  // namespace vesper
