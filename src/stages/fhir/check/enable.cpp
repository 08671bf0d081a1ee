#include "stages/fhir/check/enable.hpp"

#include <algorithm>
#include <optional>

#include "stages/fhir/check/number.hpp"
#include "stages/fhir/check/quantity.hpp"
#include "stages/fhir/check/temporal.hpp"

namespace vesper {
namespace {

bool contains(const Form& form, std::uint32_t ancestor, std::uint32_t item) {
  return ancestor <= item && item < form.items[ancestor].subtree_end;
}

// Where a node stands below an instance of a certain form item: the instance and which answer.
struct Branch {
  const Node* node = nullptr;
  std::uint32_t answer = 0;
  friend bool operator==(const Branch&, const Branch&) = default;
};
Branch branch_at(const Node* from, std::uint32_t answer, std::uint32_t form_item) {
  while (from != nullptr && from->form_item != form_item) {
    answer = from->above_answer;
    from = from->above;
  }
  return {from, answer};
}

std::optional<std::strong_ordering> compare_codings(const EnableWhen& when, const Value& value) {
  const bool same = value.text.reveal() == when.coding.code &&
                    (when.coding.system.empty() || value.system.reveal() == when.coding.system);
  return same ? std::strong_ordering::equal : std::strong_ordering::greater;
}

// The answer against the condition's; nothing: they are of different types.
std::optional<std::strong_ordering> compare(const EnableWhen& when, const Value& value) {
  const std::string_view text = value.text.reveal();
  switch (when.answer_type) {
    case ItemType::boolean:
      if (value.kind != ValueKind::boolean) return {};
      return value.boolean <=> when.boolean;
    case ItemType::integer:
    case ItemType::decimal: {
      const auto a = Decimal::parse(text), b = Decimal::parse(when.text);
      if ((value.kind != ValueKind::integer && value.kind != ValueKind::decimal) || !a || !b)
        return {};
      return *a <=> *b;
    }
    case ItemType::date:
    case ItemType::date_time:
    case ItemType::time:
      return compare_temporal(text, when.text);
    case ItemType::choice:
    case ItemType::open_choice:
      if (value.kind != ValueKind::coding) return {};
      return compare_codings(when, value);
    case ItemType::quantity:
      if (value.kind != ValueKind::quantity) return {};
      return compare_quantity(value, when.text, when.coding);
    default:
      if (value.kind == ValueKind::coding) return {};
      return text.compare(when.text) <=> 0;
  }
}

bool satisfies(const EnableWhen& when, const Value& value) {
  const auto order = compare(when, value);
  if (!order) return false;
  switch (when.op) {
    case EnableWhen::Operator::exists:
    case EnableWhen::Operator::not_equal:
      return false;  // decided over all answers
    case EnableWhen::Operator::equal:
      return *order == 0;
    case EnableWhen::Operator::greater:
      return *order > 0;
    case EnableWhen::Operator::less:
      return *order < 0;
    case EnableWhen::Operator::greater_equal:
      return *order >= 0;
    case EnableWhen::Operator::less_equal:
      return *order <= 0;
  }
  return false;
}

Enabled evaluate_one(const Form& form, const EnableWhen& when, std::uint32_t item,
                     const Branch& place, const NodeIndex& index) {
  std::uint32_t common = when.question;
  while (common != no_item && !contains(form, common, item)) common = form.items[common].parent;
  const Branch own = common == no_item ? Branch{} : branch_at(place.node, place.answer, common);
  const bool parent_asked = common == when.question;  // the item stands below the question itself
  std::size_t answers = 0, satisfied = 0, equal = 0;
  for (const Node* node = index.first[when.question]; node != nullptr; node = node->next_same) {
    if (parent_asked
            ? node != own.node
            : common != no_item && branch_at(node->above, node->above_answer, common) != own)
      continue;
    for (const auto& answer : node->item->answers) {
      if (answer.value.kind == ValueKind::none) continue;
      ++answers;
      const auto order = compare(when, answer.value);
      equal += order && *order == 0 ? 1 : 0;
      satisfied += satisfies(when, answer.value) ? 1 : 0;
    }
  }
  const auto yes_if = [](bool holds) { return holds ? Enabled::yes : Enabled::no; };
  if (when.op == EnableWhen::Operator::exists) return yes_if((answers > 0) == when.boolean);
  if (when.op != EnableWhen::Operator::not_equal) return yes_if(satisfied > 0);
  return answers == 0 ? Enabled::unclear : yes_if(equal == 0);
}

}  // namespace

Enabled evaluate_enable_when(const Form& form, std::uint32_t item, const Node* above,
                             std::uint32_t above_answer, const NodeIndex& index) {
  const FormItem& own = form.items[item];
  if (own.enable_when.empty()) return Enabled::yes;
  Enabled result = own.enable_any ? Enabled::no : Enabled::yes;
  for (const auto& when : own.enable_when) {
    const Enabled one = evaluate_one(form, when, item, {above, above_answer}, index);
    result = own.enable_any ? std::max(result, one) : std::min(result, one);
  }
  return result;
}

}  // namespace vesper
