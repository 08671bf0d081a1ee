#include "stages/catalog/item_rules.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "stages/catalog/extensions.hpp"

namespace vesper {
namespace {

constexpr std::pair<std::string_view, ItemType> types[] = {{"group", ItemType::group},
                                                           {"display", ItemType::display},
                                                           {"question", ItemType::question},
                                                           {"boolean", ItemType::boolean},
                                                           {"decimal", ItemType::decimal},
                                                           {"integer", ItemType::integer},
                                                           {"date", ItemType::date},
                                                           {"dateTime", ItemType::date_time},
                                                           {"time", ItemType::time},
                                                           {"string", ItemType::string},
                                                           {"text", ItemType::text},
                                                           {"url", ItemType::url},
                                                           {"choice", ItemType::choice},
                                                           {"open-choice", ItemType::open_choice},
                                                           {"attachment", ItemType::attachment},
                                                           {"reference", ItemType::reference},
                                                           {"quantity", ItemType::quantity}};

std::size_t count(const JsonValue& item, std::string_view member) {
  const JsonValue* list = item.find(member);
  return list == nullptr ? 0 : list->size;
}

bool has(const JsonValue& item, std::string_view member) {
  return item.find(member) != nullptr;
}

bool is_true(const JsonValue& item, std::string_view member) {
  const JsonValue* value = item.find(member);
  return value != nullptr && value->boolean;
}

template <class... Types>
bool is_one_of(ItemType type, Types... allowed) {
  return ((type == allowed) || ...);
}

bool may_have_options(ItemType t) {
  using enum ItemType;
  return is_one_of(t, choice, open_choice, decimal, integer, date, date_time, time, string,
                   quantity);
}

bool may_have_max_length(ItemType t) {
  using enum ItemType;
  return is_one_of(t, boolean, decimal, integer, string, text, url, open_choice);
}

struct OptionType {
  std::string_view member;
  Option::Kind kind;
};
constexpr OptionType option_types[] = {
    {"valueCoding", Option::Kind::coding},   {"valueString", Option::Kind::string},
    {"valueInteger", Option::Kind::integer}, {"valueDate", Option::Kind::date},
    {"valueTime", Option::Kind::time},       {"valueReference", Option::Kind::reference}};

void read_option_value(const JsonValue& value, const std::string& path, Lint& lint, Option& out) {
  if (out.kind == Option::Kind::coding) {
    out.coding = read_coding(value);
    if (out.coding.code.empty())
      lint.error(IssueCode::required, path_to(path, "valueCoding.code"), "The option has no code.");
    // R4 puts ordinalValue on the Coding, R5 and practice on the option.
    if (!out.score) out.score = find_score(value);
  } else if (out.kind == Option::Kind::reference) {
    if (const JsonValue* reference = value.find("reference")) out.text = reference->text;
  } else {
    out.text = value.text;
  }
}

}  // namespace

std::optional<ItemType> item_type_of(std::string_view code) {
  for (const auto& [name, type] : types)
    if (name == code) return type;
  return std::nullopt;
}

void check_item_rules(const JsonValue& item, ItemType type, const std::string& path, Lint& lint) {
  const bool display = type == ItemType::display, group = type == ItemType::group;
  const auto rule = [&](bool broken, std::string_view text) {
    if (broken) lint.error(IssueCode::invariant, path, std::string{text});
  };
  rule(group && count(item, "item") == 0, "que-1: a group must have nested items.");
  rule(display && count(item, "item") != 0, "que-1: a display item cannot have nested items.");
  rule(display && has(item, "code"), "que-3: a display item cannot have a code.");
  rule(has(item, "answerOption") && has(item, "answerValueSet"),
       "que-4: a question cannot have both answerOption and answerValueSet.");
  rule(!may_have_options(type) && (has(item, "answerOption") || has(item, "answerValueSet")),
       "que-5: an item of this type cannot have answerOption or answerValueSet.");
  rule(display && (has(item, "required") || has(item, "repeats")),
       "que-6: required and repeats are not permitted for a display item.");
  rule((group || display) && has(item, "initial"),
       "que-8: a group or display item cannot have an initial value.");
  rule(display && has(item, "readOnly"), "que-9: a display item cannot be readOnly.");
  rule(!may_have_max_length(type) && has(item, "maxLength"),
       "que-10: maxLength is for simple question types only.");
  rule(count(item, "answerOption") != 0 && has(item, "initial"),
       "que-11: with answerOption, initial must be missing (use initialSelected).");
  rule(count(item, "enableWhen") > 1 && !has(item, "enableBehavior"),
       "que-12: with more than one enableWhen, enableBehavior must be given.");
  rule(!is_true(item, "repeats") && count(item, "initial") > 1,
       "que-13: only a repeating item can have several initial values.");
}

void read_options(const JsonValue& item, const std::string& path, Lint& lint, FormItem& out) {
  const JsonValue* list = lint.take(item, "answerOption", JsonKind::array, path);
  if (list == nullptr) return;
  std::size_t i = 0;
  for (const JsonValue& entry : *list) {
    const std::string here = path_to(path, "answerOption", i++);
    Option option;
    option.score = find_score(entry);
    if (const JsonValue* exclusive = find_extension(entry, extension_url::exclusive))
      option.exclusive = exclusive->boolean;
    std::size_t values = 0;
    for (const JsonValue& member : entry) {
      const auto type = std::ranges::find(option_types, member.name, &OptionType::member);
      if (type == std::end(option_types)) continue;
      ++values;
      option.kind = type->kind;
      read_option_value(member, here, lint, option);
    }
    if (values != 1) {
      lint.error(
          IssueCode::structure, here,
          "An answerOption has one value: Coding, string, integer, date, time or Reference.");
      continue;
    }
    out.options.push_back(std::move(option));
  }
}

}  // namespace vesper
