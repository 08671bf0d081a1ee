#include <algorithm>

#include <fmt/format.h>

#include "stages/catalog/item_rules.hpp"

namespace vesper {
namespace {

using Operator = EnableWhen::Operator;

constexpr std::pair<std::string_view, Operator> operators[] = {
    {"exists", Operator::exists}, {"=", Operator::equal}, {"!=", Operator::not_equal},
    {">", Operator::greater},     {"<", Operator::less},  {">=", Operator::greater_equal},
    {"<=", Operator::less_equal}};

constexpr std::pair<std::string_view, ItemType> answers[] = {
    {"answerBoolean", ItemType::boolean},    {"answerDecimal", ItemType::decimal},
    {"answerInteger", ItemType::integer},    {"answerDate", ItemType::date},
    {"answerDateTime", ItemType::date_time}, {"answerTime", ItemType::time},
    {"answerString", ItemType::string},      {"answerCoding", ItemType::choice},
    {"answerQuantity", ItemType::quantity},  {"answerReference", ItemType::reference}};

bool is_ordered(ItemType type) {
  using enum ItemType;
  return type == decimal || type == integer || type == date || type == date_time || type == time ||
         type == quantity || type == string;
}

void read_answer_value(const JsonValue& value, ItemType type, EnableWhen& out) {
  out.answer_type = type;
  out.boolean = value.boolean;
  if (type == ItemType::choice) {
    out.coding = read_coding(value);
  } else if (type == ItemType::quantity) {
    out.coding = read_coding(value);
    if (const JsonValue* unit = value.find("unit")) out.coding.display = unit->text;
    if (const JsonValue* number = value.find("value")) out.text = number->text;
  } else if (type == ItemType::reference) {
    if (const JsonValue* reference = value.find("reference")) out.text = reference->text;
  } else if (type != ItemType::boolean) {
    out.text = value.text;
  }
}

// Whether an answer of the question can ever be of the type it is compared with.
bool can_match(ItemType asked, ItemType answer) {
  using enum ItemType;
  switch (asked) {
    case decimal:
    case integer:
      return answer == decimal || answer == integer;
    case string:
    case text:
    case url:
      return answer == string;
    case choice:
    case open_choice:
      return answer == choice || answer == string || answer == integer || answer == date ||
             answer == time || answer == reference;
    case group:
    case display:
    case question:
    case attachment:
      return false;
    default:
      return asked == answer;
  }
}

class Reader {
 public:
  Reader(const JsonValue& entry, std::string path, Lint& lint)
      : entry_(entry), path_(std::move(path)), lint_(lint) {}

  bool read(std::uint32_t index, const Form& form, EnableWhen& out) {
    const bool target = read_question(index, form, out);
    const bool op = read_operator(out), answer = read_answer(out);
    if (op && answer) check_answer(out);
    if (target && op && answer && out.op != Operator::exists) check_types(form, out);
    return target && op && answer;
  }

 private:
  bool read_question(std::uint32_t index, const Form& form, EnableWhen& out) {
    const std::string question = lint_.required_text(entry_, "question", path_);
    if (question.empty()) return false;
    out.question = form.index_of(question);
    const std::string where = path_to(path_, "question");
    if (out.question == no_item) {
      lint_.error(IssueCode::not_found, where,
                  fmt::format("There is no item with linkId '{}'.", question));
      return false;
    }
    if (out.question >= index && out.question < form.items[index].subtree_end) {
      lint_.error(IssueCode::invariant, where,
                  "An item cannot depend on itself or on its inner items.");
      return false;
    }
    return true;
  }

  bool read_operator(EnableWhen& out) {
    const std::string code = lint_.required_text(entry_, "operator", path_);
    if (code.empty()) return false;
    for (const auto& [name, op] : operators) {
      if (name != code) continue;
      out.op = op;
      return true;
    }
    lint_.error(IssueCode::code_invalid, path_to(path_, "operator"),
                "The operator must be one of exists = != > < >= <=.");
    return false;
  }

  bool read_answer(EnableWhen& out) {
    std::size_t count = 0;
    for (const JsonValue& member : entry_) {
      const auto known =
          std::ranges::find(answers, member.name, [](const auto& answer) { return answer.first; });
      if (known == std::end(answers)) continue;
      ++count;
      read_answer_value(member, known->second, out);
    }
    if (count != 1)
      lint_.error(count == 0 ? IssueCode::required : IssueCode::structure, path_to(path_, "answer"),
                  "enableWhen has exactly one answer[x].");
    return count == 1;
  }

  void check_answer(const EnableWhen& when) {
    if (when.op == Operator::exists && when.answer_type != ItemType::boolean)
      lint_.error(IssueCode::invariant, path_,
                  "que-7: with the operator exists, the answer must be a boolean.");
    const bool ordering =
        when.op != Operator::exists && when.op != Operator::equal && when.op != Operator::not_equal;
    if (ordering && !is_ordered(when.answer_type))
      lint_.error(IssueCode::value, path_to(path_, "operator"),
                  "The operator compares sizes, but the answer's type has none.");
  }

  void check_types(const Form& form, const EnableWhen& when) {
    if (!can_match(form.items[when.question].type, when.answer_type))
      lint_.warn(path_to(path_, "answer"),
                 "The answer's type is not one the question can have, so this never holds.");
  }

  const JsonValue& entry_;
  std::string path_;
  Lint& lint_;
};

}  // namespace

void read_enable_when(const JsonValue& item, std::uint32_t index, const std::string& path,
                      Lint& lint, Form& form) {
  const JsonValue* list = lint.take(item, "enableWhen", JsonKind::array, path);
  if (list == nullptr) return;
  std::size_t i = 0;
  for (const JsonValue& entry : *list) {
    EnableWhen when;
    if (Reader{entry, path_to(path, "enableWhen", i++), lint}.read(index, form, when))
      form.items[index].enable_when.push_back(std::move(when));
  }
  const std::string behavior = lint.text(item, "enableBehavior", path);
  form.items[index].enable_any = behavior == "any";
  if (!behavior.empty() && behavior != "any" && behavior != "all")
    lint.error(IssueCode::code_invalid, path_to(path, "enableBehavior"),
               "enableBehavior must be all or any.");
}

}  // namespace vesper
