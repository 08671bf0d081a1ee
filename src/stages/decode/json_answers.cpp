#include "stages/decode/members.hpp"
#include "stages/decode/syntaxes.hpp"

namespace vesper::decoding {
namespace {

// {"system","code","display"}: strings only, with a code.
bool is_coding(const JsonValue& object) {
  bool has_code = false;
  for (const JsonValue& member : object) {
    if (!member.is(JsonKind::string)) return false;
    if (member.name == "code") {
      has_code = true;
    } else if (member.name != "system" && member.name != "display") {
      return false;
    }
  }
  return has_code;
}

// {"value","unit","system","code"}: a number, and strings.
bool is_quantity(const JsonValue& object) {
  bool has_value = false;
  for (const JsonValue& member : object) {
    if (member.name == "value" && member.is(JsonKind::number)) {
      has_value = true;
    } else if (!member.is(JsonKind::string) ||
               (member.name != "unit" && member.name != "system" && member.name != "code")) {
      return false;
    }
  }
  return has_value;
}

PatientText text_of(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.find(name);
  return member == nullptr ? PatientText{} : PatientText{member->text};
}

bool is_value(const JsonValue& value) {
  return value.is(JsonKind::object) ? is_coding(value) || is_quantity(value) : true;
}

// The value must have passed is_value().
void read_value(const JsonValue& in, const Where& where, Faults& faults, Value& out) {
  switch (in.kind) {
    case JsonKind::string:
      out.kind = ValueKind::raw_text;
      out.text = PatientText{in.text};
      return;
    case JsonKind::boolean:
      out.kind = ValueKind::boolean;
      out.boolean = in.boolean;
      return;
    case JsonKind::object:
      out.kind = is_coding(in) ? ValueKind::coding : ValueKind::quantity;
      out.text = text_of(in, out.kind == ValueKind::coding ? "code" : "value");
      out.system = text_of(in, "system");
      out.display = text_of(in, out.kind == ValueKind::coding ? "display" : "unit");
      if (out.kind == ValueKind::quantity) out.code = text_of(in, "code");
      break;
    case JsonKind::number:
    case JsonKind::null:
    case JsonKind::array:
      out.kind = ValueKind::raw_number;
      out.text = PatientText{in.text};
      break;
  }
  if (out.kind != ValueKind::coding && out.text.reveal().size() > number_chars_max)
    faults.add(IssueCode::too_long, "A number has at most 64 characters.", where);
}

// What the elements of an array are; one element counts as an array of itself.
struct Elements {
  std::uint32_t scalars = 0, values = 0, objects = 0, unusable = 0;
  void count(const JsonValue& element) {
    if (element.is(JsonKind::null) || element.is(JsonKind::array)) {
      ++unusable;
    } else if (element.is(JsonKind::object)) {
      ++objects;
      if (is_value(element)) ++values;
    } else {
      ++scalars;
    }
  }
};

// Why both: {"code":"a"} may be a coding or a row whose group has a question named `code`; only
// the form can tell.
template <class Each>
void fill(const Elements& kinds, const Each& each, const Where& where, Arena& arena, Faults& faults,
          RawAnswer& out) {
  const std::uint32_t total = kinds.scalars + kinds.objects;
  if (kinds.values == kinds.objects) {
    out.values = arena.array<Value>(total);
    each([&](const JsonValue& element, std::uint32_t i, const Where& at) {
      read_value(element, at, faults, out.values[i]);
    });
  }
  if (kinds.scalars == 0) {
    out.rows = arena.array<std::span<RawAnswer>>(total);
    each([&](const JsonValue& element, std::uint32_t i, const Where& at) {
      out.rows[i] = read_json_answers(element, at, arena, faults);
    });
  } else if (kinds.values != kinds.objects) {
    faults.add(IssueCode::structure, "Answers and rows of a group cannot be mixed.", where);
  }
}

void read_array(const JsonValue& array, const Where& where, Arena& arena, Faults& faults,
                RawAnswer& out) {
  out.is_array = true;
  Elements kinds;
  for (const JsonValue& element : array) kinds.count(element);
  if (kinds.unusable != 0) {
    faults.add(IssueCode::structure, "A list of answers holds no null and no further list.", where);
    return;
  }
  if (array.size == 0) return;
  fill(
      kinds,
      [&](const auto& visit) {
        std::uint32_t i = 0;
        for (const JsonValue& element : array) {
          visit(element, i, Where{.parent = &where, .name = {}, .index = i});
          ++i;
        }
      },
      where, arena, faults, out);
}

void read_answer(const JsonValue& value, const Where& where, Arena& arena, Faults& faults,
                 RawAnswer& out) {
  if (value.is(JsonKind::null)) return;
  if (value.is(JsonKind::array)) return read_array(value, where, arena, faults, out);
  if (!value.is(JsonKind::object)) {
    out.values = arena.array<Value>(1);
    return read_value(value, where, faults, out.values[0]);
  }
  Elements kinds;
  kinds.count(value);
  fill(kinds, [&](const auto& visit) { visit(value, 0, where); }, where, arena, faults, out);
}

}  // namespace

std::span<RawAnswer> read_json_answers(const JsonValue& object, const Where& where, Arena& arena,
                                       Faults& faults) {
  auto answers = arena.array<RawAnswer>(object.size);
  std::size_t i = 0;
  for (const JsonValue& member : object) {
    RawAnswer& answer = answers[i++];
    answer.field = member.name;
    answer.at = member.at;
    read_answer(member, Where{.parent = &where, .name = member.name}, arena, faults, answer);
  }
  return answers;
}

}  // namespace vesper::decoding
