#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "stages/decode/members.hpp"
#include "stages/decode/syntaxes.hpp"

namespace vesper::decoding {
namespace {

struct ValueType {
  std::string_view member;
  ValueKind kind;
  JsonKind json;
};
constexpr std::array<ValueType, 12> value_types{
    {{"valueBoolean", ValueKind::boolean, JsonKind::boolean},
     {"valueDecimal", ValueKind::decimal, JsonKind::number},
     {"valueInteger", ValueKind::integer, JsonKind::number},
     {"valueDate", ValueKind::date, JsonKind::string},
     {"valueDateTime", ValueKind::date_time, JsonKind::string},
     {"valueTime", ValueKind::time, JsonKind::string},
     {"valueString", ValueKind::string, JsonKind::string},
     {"valueUri", ValueKind::uri, JsonKind::string},
     {"valueAttachment", ValueKind::attachment, JsonKind::object},
     {"valueCoding", ValueKind::coding, JsonKind::object},
     {"valueQuantity", ValueKind::quantity, JsonKind::object},
     {"valueReference", ValueKind::reference, JsonKind::object}}};

// Elements every FHIR type may carry: an id, extensions, and the `_x` companion of a primitive.
bool carried_by_all(std::string_view name) {
  return name == "id" || name == "extension" || name.starts_with('_');
}

void report_unknown(const JsonValue& member, const Where& where, Faults& faults) {
  if (carried_by_all(member.name)) return;
  const Where at{.parent = &where, .name = member.name};
  if (member.name == "modifierExtension")
    return faults.add(IssueCode::not_supported, "A modifierExtension is not understood.", at);
  faults.add(IssueCode::structure, "This element is unknown here.", at);
}

struct Part {
  std::string_view name;
  JsonKind kind;
  PatientText Value::* target;  // nullptr: allowed, not kept
};

void read_parts(const JsonValue& object, std::span<const Part> parts, const Where& where,
                Faults& faults, Value& out) {
  for (const JsonValue& member : object) {
    const auto part = std::ranges::find(parts, member.name, &Part::name);
    if (part == parts.end()) {
      report_unknown(member, where, faults);
    } else if (member.kind != part->kind) {
      faults.add(IssueCode::structure, "This element has the wrong JSON type.",
                 Where{.parent = &where, .name = member.name});
    } else if (part->target != nullptr) {
      out.*part->target = PatientText{member.text};
    }
  }
}

constexpr auto text = JsonKind::string;
constexpr Part coding_parts[] = {{"system", text, &Value::system},
                                 {"version", text, nullptr},
                                 {"code", text, &Value::text},
                                 {"display", text, &Value::display},
                                 {"userSelected", JsonKind::boolean, nullptr}};
constexpr Part quantity_parts[] = {{"value", JsonKind::number, &Value::text},
                                   {"comparator", text, &Value::comparator},
                                   {"unit", text, &Value::display},
                                   {"system", text, &Value::system},
                                   {"code", text, &Value::code}};
constexpr Part attachment_parts[] = {
    {"contentType", text, &Value::code}, {"language", text, nullptr},
    {"data", text, &Value::data},        {"url", text, &Value::text},
    {"size", JsonKind::number, nullptr}, {"hash", text, nullptr},
    {"title", text, &Value::display},    {"creation", text, nullptr}};
constexpr Part reference_parts[] = {{"reference", text, &Value::text},
                                    {"type", text, nullptr},
                                    {"identifier", JsonKind::object, nullptr},
                                    {"display", text, &Value::display}};

void read_attachment_size(const JsonValue& in, const Where& where, Faults& faults, Value& out) {
  const JsonValue* size = in.find("size");
  if (size == nullptr || !size->is(JsonKind::number)) return;
  const char* last = size->text.data() + size->text.size();
  const auto [end, error] = std::from_chars(size->text.data(), last, out.size_bytes);
  if (error == std::errc{} && end == last && out.size_bytes >= 0) return;
  faults.add(IssueCode::value, "size is a count of bytes.",
             Where{.parent = &where, .name = "size"});
}

void read_object_value(const JsonValue& in, const Where& where, Faults& faults, Value& out) {
  switch (out.kind) {
    case ValueKind::coding:
      return read_parts(in, coding_parts, where, faults, out);
    case ValueKind::quantity:
      out.has_value = in.find("value") != nullptr;
      return read_parts(in, quantity_parts, where, faults, out);
    case ValueKind::attachment:
      out.has_value = in.find("data") != nullptr;
      read_attachment_size(in, where, faults, out);
      return read_parts(in, attachment_parts, where, faults, out);
    default:
      return read_parts(in, reference_parts, where, faults, out);
  }
}

void read_value(const JsonValue& in, const ValueType& type, const Where& answer, Faults& faults,
                Value& out) {
  const Where where{.parent = &answer, .name = "value"};
  if (out.kind != ValueKind::none)
    return faults.add(IssueCode::structure, "An answer has one value.", where);
  if (in.kind != type.json)
    return faults.add(IssueCode::structure, fmt::format("{} has the wrong JSON type.", type.member),
                      where);
  out.kind = type.kind;
  if (in.is(JsonKind::object)) {
    read_object_value(in, where, faults, out);
  } else if (in.is(JsonKind::boolean)) {
    out.boolean = in.boolean;
  } else {
    out.text = PatientText{in.text};
  }
  const bool is_number = in.is(JsonKind::number) || out.kind == ValueKind::quantity;
  if (is_number && out.text.reveal().size() > number_chars_max)
    faults.add(IssueCode::too_long, "A number has at most 64 characters.", where);
}

void read_answer(const JsonValue& in, const Where& where, Arena& arena, Faults& faults,
                 ResponseAnswer& out) {
  if (!in.is(JsonKind::object))
    return faults.add(IssueCode::structure, "An answer is an object.", where);
  for (const JsonValue& member : in) {
    if (member.name == "item") continue;
    const auto type = std::ranges::find(value_types, member.name, &ValueType::member);
    if (type != value_types.end()) {
      read_value(member, *type, where, faults, out.value);
    } else {
      report_unknown(member, where, faults);
    }
  }
  out.items = read_response_items(in, where, arena, faults);
}

std::span<ResponseAnswer> read_answers(const JsonValue& list, const Where& item, Arena& arena,
                                       Faults& faults) {
  if (!list.is(JsonKind::array)) {
    faults.add(IssueCode::structure, "answer is a list.", Where{.parent = &item, .name = "answer"});
    return {};
  }
  auto answers = arena.array<ResponseAnswer>(list.size);
  std::uint32_t i = 0;
  for (const JsonValue& element : list) {
    read_answer(element, Where{.parent = &item, .name = "answer", .index = i}, arena, faults,
                answers[i]);
    ++i;
  }
  return answers;
}

void read_text(const JsonValue& member, const Where& item, Faults& faults, PatientText& out) {
  if (!member.is(JsonKind::string))
    return faults.add(IssueCode::structure, "This element is a string.",
                      Where{.parent = &item, .name = member.name});
  out = PatientText{member.text};
}

void read_item(const JsonValue& in, const Where& where, Arena& arena, Faults& faults,
               ResponseItem& out) {
  if (!in.is(JsonKind::object))
    return faults.add(IssueCode::structure, "An item is an object.", where);
  for (const JsonValue& member : in) {
    if (member.name == "linkId") {
      read_text(member, where, faults, out.link_id);
    } else if (member.name == "text") {
      read_text(member, where, faults, out.text);
    } else if (member.name == "answer") {
      out.has_answer_member = true;
      out.answers = read_answers(member, where, arena, faults);
    } else if (member.name == "item") {
      out.has_item_member = true;
    } else if (member.name != "definition") {
      report_unknown(member, where, faults);
    }
  }
  if (in.find("linkId") == nullptr) faults.add(IssueCode::required, "linkId is missing.", where);
  out.items = read_response_items(in, where, arena, faults);
}

}  // namespace

std::span<ResponseItem> read_response_items(const JsonValue& owner, const Where& where,
                                            Arena& arena, Faults& faults) {
  const JsonValue* list = owner.find("item");
  if (list == nullptr) return {};
  if (!list->is(JsonKind::array)) {
    faults.add(IssueCode::structure, "item is a list.", Where{.parent = &where, .name = "item"});
    return {};
  }
  auto items = arena.array<ResponseItem>(list->size);
  std::uint32_t i = 0;
  for (const JsonValue& element : *list) {
    read_item(element, Where{.parent = &where, .name = "item", .index = i}, arena, faults,
              items[i]);
    ++i;
  }
  return items;
}

}  // namespace vesper::decoding
