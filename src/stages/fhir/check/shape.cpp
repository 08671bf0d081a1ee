#include "stages/fhir/check/shape.hpp"

#include <fmt/format.h>

#include "base/ensure.hpp"
#include "stages/fhir/check/option.hpp"
#include "stages/fhir/check/plan.hpp"
#include "stages/fhir/check/report.hpp"

namespace vesper {
namespace {

// One list of answers: the whole diary, or one row of a repeating group.
struct Scope {
  std::uint32_t group = no_item;  // the repeating group, no_item for the diary
  const Scope* above = nullptr;
  std::uint32_t row = 0;
  std::uint32_t first = 0;              // the form's items in it: [first, first + slots.size())
  std::span<const RawAnswer*> slots{};  // by form item
  int depth = 0;

  [[nodiscard]] const RawAnswer* of(std::uint32_t item) const { return slots[item - first]; }
};

class Shaper {
 public:
  Shaper(const Form& form, MediaType media, Arena& arena, Issues& issues)
      : form_(form),
        plan_(*form.check_plan),
        media_(media),
        arena_(arena),
        issues_(issues),
        before_(issues.size()) {}

  std::span<ResponseItem> diary(std::span<const RawAnswer> answers) {
    Scope scope;
    scope.slots = arena_.array<const RawAnswer*>(form_.items.size());
    place(answers, scope);
    return level(form_.roots, scope);
  }

 private:
  // Puts each answer into the slot of its item; what does not belong here is told.
  void place(std::span<const RawAnswer> answers, Scope& scope) {
    std::uint32_t guess = scope.first;
    for (const RawAnswer& answer : answers) {
      std::uint32_t item =
          guess < plan_.items.size() && same_text(plan_.items[guess].field, answer.field)
              ? guess
              : form_.index_of_field(answer.field);
      // Many ODM senders number every group, and name it as their study does, not as the form.
      if (media_ == MediaType::odm && answer.rows.size() == 1 &&
          (item == no_item || is_plain_group(item))) {
        place(answer.rows[0], scope);
        continue;
      }
      if (item == no_item) {
        tell(scope, answer, IssueCode::not_found, "the form has no item of this name");
        continue;
      }
      guess = item + 1;
      if (!belongs(scope, answer, item)) continue;
      const RawAnswer*& slot = scope.slots[item - scope.first];
      if (slot != nullptr)
        tell(scope, answer, IssueCode::duplicate, "the name is used twice");
      else
        slot = &answer;
    }
  }

  [[nodiscard]] bool is_plain_group(std::uint32_t item) const {
    return form_.items[item].type == ItemType::group && !form_.items[item].repeats;
  }

  bool belongs(const Scope& scope, const RawAnswer& answer, std::uint32_t item) {
    const FormItem& found = form_.items[item];
    if (plan_.items[item].scope != scope.group) {
      const std::uint32_t group = plan_.items[item].scope;
      tell(scope, answer, IssueCode::structure,
           group == no_item ? std::string("the item does not belong to this group")
                            : fmt::format("the item belongs in the rows of the repeating group {}",
                                          field_of(form_, group)));
      return false;
    }
    if (answer.values.empty() && answer.rows.empty()) return true;  // skipped
    const std::string_view fault = unfit(found, answer);
    if (!fault.empty()) tell(scope, answer, IssueCode::structure, std::string(fault));
    return fault.empty();
  }

  // Why an answer cannot belong to an item; empty: it can. An object may have been read both as a
  // value and as a row (`{"code": ...}`): the form decides.
  static std::string_view unfit(const FormItem& item, const RawAnswer& answer) {
    if (item.type == ItemType::display) return "a display takes no answer";
    if (item.type == ItemType::group) {
      if (!item.repeats)
        return "a group that does not repeat has no name here: its items are sent by theirs";
      return answer.rows.empty() ? "a repeating group is an array of objects" : "";
    }
    if (answer.values.empty()) return "the item takes no object of this kind";
    if (answer.is_array && !item.repeats) return "the item does not repeat: one value, no array";
    return {};
  }

  std::span<ResponseItem> level(std::span<const std::uint32_t> items, const Scope& scope) {
    std::size_t most = items.size();
    if (plan_.has_rows)
      for (const std::uint32_t item : items)
        if (const RawAnswer* answer = scope.of(item)) most += answer->rows.size();
    const auto out = arena_.array<ResponseItem>(most);
    std::size_t count = 0;
    for (const std::uint32_t item : items) {
      const FormItem& found = form_.items[item];
      if (found.type == ItemType::group)
        count += found.repeats ? rows(item, scope, out.subspan(count))
                               : group(item, scope, out.subspan(count));
      else if (found.type != ItemType::display)
        count += question(item, scope, out.subspan(count));
    }
    return out.first(count);
  }

  std::size_t group(std::uint32_t item, const Scope& scope, std::span<ResponseItem> out) {
    const auto children = level(form_.items[item].children, scope);
    if (children.empty()) return 0;
    out[0].link_id = PatientText{form_.items[item].link_id};
    out[0].items = children;
    out[0].has_item_member = true;
    return 1;
  }

  std::size_t rows(std::uint32_t item, const Scope& scope, std::span<ResponseItem> out) {
    const RawAnswer* answer = scope.of(item);
    if (answer == nullptr || answer->rows.empty()) return 0;
    if (scope.depth >= response_depth_max) {
      tell(scope, *answer, IssueCode::structure, "repeating groups are nested too deep");
      return 0;
    }
    const FormItem& found = form_.items[item];
    Scope row{item, &scope, 0, item + 1, {}, scope.depth + 1};
    row.slots = arena_.array<const RawAnswer*>(found.subtree_end - row.first);
    for (; row.row < answer->rows.size(); ++row.row) {
      std::ranges::fill(row.slots, nullptr);
      place(answer->rows[row.row], row);
      ResponseItem& made = out[row.row];
      made.link_id = PatientText{found.link_id};
      made.items = level(found.children, row);
      made.has_item_member = !made.items.empty();
    }
    return answer->rows.size();
  }

  std::size_t question(std::uint32_t item, const Scope& scope, std::span<ResponseItem> out) {
    const FormItem& found = form_.items[item];
    const RawAnswer* answer = scope.of(item);
    const std::size_t values = answer == nullptr ? 0 : answer->values.size();
    const auto below =
        found.children.empty() ? std::span<ResponseItem>{} : level(found.children, scope);
    if (!below.empty() && values != 1) stray(below, item, scope, values);
    if (values == 0) return 0;
    out[0].link_id = PatientText{found.link_id};
    out[0].answers = arena_.array<ResponseAnswer>(values);
    out[0].has_answer_member = true;
    for (std::size_t i = 0; i < values; ++i) {
      Value& value = out[0].answers[i].value;
      value = answer->values[i];
      type_value(form_, item, media_ == MediaType::json, value);
    }
    out[0].answers[0].items = below;
    return 1;
  }

  // Answers to items below a question that has no answer, or several, have no place of their own.
  void stray(std::span<const ResponseItem> below, std::uint32_t question, const Scope& scope,
             std::size_t values) {
    for (const ResponseItem& item : below) {
      const RawAnswer named{field_of(form_, form_.index_of(item.link_id.reveal())), {}, {}};
      tell(scope, named, IssueCode::structure,
           values == 0 ? fmt::format("the item stands below {}, which has no answer",
                                     field_of(form_, question))
                       : fmt::format("the item stands below {}, which has several answers: "
                                     "send it as a FHIR QuestionnaireResponse",
                                     field_of(form_, question)));
    }
  }

  void tell(const Scope& scope, const RawAnswer& answer, IssueCode code, std::string text) {
    std::string path;
    for (const Scope* s = &scope; s->above != nullptr; s = s->above)
      path = fmt::format("{}[{}].{}", field_of(form_, s->group), s->row, path);
    append_issue(issues_, before_,
                 {Severity::error, code, IssueKind::form, std::move(text),
                  fmt::format("answers.{}{}", path, shortened(answer.field))});
  }

  const Form& form_;
  const CheckPlan& plan_;
  MediaType media_;
  Arena& arena_;
  Issues& issues_;
  std::size_t before_;
};

}  // namespace

std::span<ResponseItem> shape(const Form& form, const Diary& diary, Arena& arena, Issues& issues) {
  ensure(form.check_plan != nullptr && !diary.is_fhir);
  return Shaper{form, diary.media, arena, issues}.diary(diary.raw);
}

}  // namespace vesper
