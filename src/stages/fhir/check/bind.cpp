#include "stages/fhir/check/bind.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "stages/fhir/check/option.hpp"
#include "stages/fhir/check/plan.hpp"

namespace vesper {
namespace {

// Where a list of sibling items stands.
struct Spot {
  const Node* above = nullptr;
  std::uint32_t above_answer = 0;
  int depth = 0;
  [[nodiscard]] std::uint32_t parent() const {
    return above == nullptr ? no_item : above->form_item;
  }
};

class Binder {
 public:
  Binder(const Form& form, Arena& arena, NodeIndex index, Report& report)
      : form_(form), arena_(arena), index_(index), report_(report) {}

  std::span<Node> siblings(std::span<const ResponseItem> items, Spot spot) {
    if (items.empty()) return {};
    if (spot.depth > response_depth_max) {
      report_.at(spot.above, IssueCode::structure,
                 fmt::format("items are nested deeper than {} levels", response_depth_max));
      return {};
    }
    const auto nodes = arena_.array<Node>(items.size());
    std::size_t count = 0;
    bool ordered = true;
    for (std::uint32_t i = 0; i < items.size(); ++i) {
      const std::uint32_t found = identify(items[i], spot, i);
      if (found == no_item) continue;
      Node& node = nodes[count];
      node.item = &items[i];
      node.form_item = found;
      node.above = spot.above;
      node.above_answer = spot.above_answer;
      node.index = i;
      if (count > 0 && !follows(nodes[count - 1], node)) ordered = false;
      ++count;
    }
    const auto bound = nodes.first(count);
    if (!ordered) reorder(bound);
    for (Node& node : bound) {
      if (!index_.first.empty()) {
        node.next_same = index_.first[node.form_item];
        index_.first[node.form_item] = &node;
      }
      descend(node, spot.depth);
    }
    return bound;
  }

 private:
  std::uint32_t identify(const ResponseItem& item, const Spot& spot, std::uint32_t place) {
    const std::uint32_t found = find_item(form_, item.link_id.reveal(), guess_);
    if (found == no_item) {
      report_.at_unknown(spot.above, spot.above_answer, place, IssueCode::not_found,
                         "the form has no item with this linkId");
      return no_item;
    }
    const std::uint32_t parent = form_.items[found].parent;
    if (parent != spot.parent()) {
      const auto& link_id = form_.items[found].link_id;
      report_.at_unknown(
          spot.above, spot.above_answer, place, IssueCode::structure,
          parent == no_item
              ? fmt::format("the item {} belongs at the top of the form", link_id)
              : fmt::format("the item {} belongs under {}", link_id, form_.items[parent].link_id));
      return no_item;
    }
    guess_ = form_.items[found].subtree_end;
    return found;
  }

  // Whether `node` may stand after `last`; counts repetitions.
  bool follows(const Node& last, Node& node) {
    if (last.form_item == node.form_item) {
      node.occurrence = last.occurrence + 1;
      return true;
    }
    if (form_.check_plan->items[last.form_item].ordinal <
        form_.check_plan->items[node.form_item].ordinal)
      return true;
    report_.at(
        &node, IssueCode::structure,
        fmt::format("the item {} stands before {} in the form", form_.items[node.form_item].link_id,
                    form_.items[last.form_item].link_id));
    return false;
  }

  // In the form's order, so that one pass over the form's items finds all: the fault is told.
  static void reorder(std::span<Node> nodes) {
    std::ranges::sort(nodes, {}, [](const Node& n) { return std::pair{n.form_item, n.index}; });
    for (std::size_t i = 0; i < nodes.size(); ++i)
      nodes[i].occurrence =
          i > 0 && nodes[i].form_item == nodes[i - 1].form_item ? nodes[i - 1].occurrence + 1 : 0;
  }

  void descend(Node& node, int depth) {
    const ResponseItem& item = *node.item;
    const ItemType type = form_.items[node.form_item].type;
    const bool answered = item.has_answer_member || !item.answers.empty();
    const bool nested = item.has_item_member || !item.items.empty();
    guess_ = node.form_item + 1;
    if (answered && nested)
      report_.at(&node, IssueCode::structure, "an item has either answers or items, never both");
    if (type == ItemType::group) {
      if (answered) report_.at(&node, IssueCode::structure, "a group takes no answer");
      node.children = siblings(item.items, {&node, 0, depth + 1});
    } else if (type == ItemType::display) {
      if (answered) report_.at(&node, IssueCode::structure, "a display takes no answer");
      if (nested) report_.at(&node, IssueCode::structure, "a display has no items below it");
    } else {
      if (nested && !answered)
        report_.at(&node, IssueCode::structure,
                   "items below a question stand under its answer, not beside it");
      below_answers(node, depth);
    }
    guess_ = form_.items[node.form_item].subtree_end;
  }

  void below_answers(Node& node, int depth) {
    const auto answers = node.item->answers;
    if (std::ranges::all_of(answers, [](const ResponseAnswer& a) { return a.items.empty(); }))
      return;
    node.below = arena_.array<std::span<Node>>(answers.size());
    for (std::uint32_t i = 0; i < answers.size(); ++i) {
      guess_ = node.form_item + 1;
      node.below[i] = siblings(answers[i].items, {&node, i, depth + 1});
    }
  }

  const Form& form_;
  Arena& arena_;
  NodeIndex index_;
  Report& report_;
  std::uint32_t guess_ = 0;
};

}  // namespace

std::span<Node> bind_response(const Form& form, std::span<const ResponseItem> items, Arena& arena,
                              NodeIndex index, Report& report) {
  return Binder{form, arena, index, report}.siblings(items, {});
}

}  // namespace vesper
