#include "stages/fhir/bundle/value.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/ensure.hpp"
#include "stages/fhir/bundle/draft.hpp"
#include "stages/fhir/check/option.hpp"

namespace vesper {
namespace {

class Members {
 public:
  explicit Members(JsonSink& sink) : sink_(sink) {}
  void text(std::string_view name, std::string_view value) {  // `name` as `"name":"`
    if (is_blank(value)) return;
    sink_.put(first_ ? '{' : ',');
    first_ = false;
    sink_.put(name);
    sink_.put_escaped(value);
    sink_.put('"');
  }
  void digits(std::string_view name, std::string_view value) {  // `name` as `"name":`
    sink_.put(first_ ? '{' : ',');
    first_ = false;
    sink_.put(name);
    sink_.put(value);
  }
  void end() { sink_.put(first_ ? std::string_view{"{}"} : std::string_view{"}"}); }

 private:
  JsonSink& sink_;
  bool first_ = true;
};

void put_text(JsonSink& sink, std::string_view name, std::string_view text) {
  sink.put(name);
  sink.put_escaped(text);
  sink.put('"');
}

void put_coding(JsonSink& sink, const ValuePlace& place, const Value& value) {
  const bool known = place.option != no_option;
  const Coding none, &option = known ? place.item.options[place.option].coding : none;
  if (known && (value.display.empty() || value.display.reveal() == option.display))
    return sink.put(place.plan.options[place.option]);
  Members members{sink};
  members.text("\"system\":\"", known ? option.system : value.system.reveal());
  members.text("\"version\":\"", option.version);
  members.text("\"code\":\"", value.text.reveal());
  members.text("\"display\":\"", value.display.reveal());
  members.end();
}

// A sender may state a unit by its text or code alone; the form knows the rest.
const Coding* known_unit(const FormItem& item, const Value& value) {
  if (!value.system.empty() && !value.code.empty()) return nullptr;
  const std::string_view said = value.code.empty() ? value.display.reveal() : value.code.reveal();
  const auto is_said = [&](const Coding& unit) {
    return unit.code == said || (value.code.empty() && unit.display == said);
  };
  if (said.empty()) return nullptr;
  if (item.unit && is_said(*item.unit)) return &*item.unit;
  const auto it = std::ranges::find_if(item.unit_options, is_said);
  return it == item.unit_options.end() ? nullptr : &*it;
}

void put_quantity(JsonSink& sink, const ValuePlace& place, const Value& value) {
  const Coding* unit = known_unit(place.item, value);
  Members members{sink};
  if (value.has_value && !value.text.empty()) members.digits("\"value\":", value.text.reveal());
  members.text("\"comparator\":\"", value.comparator.reveal());
  std::string_view name = value.display.reveal();
  if (name.empty() && unit != nullptr) name = unit->display.empty() ? unit->code : unit->display;
  members.text("\"unit\":\"", name);
  const std::string_view system = unit != nullptr ? unit->system : value.system.reveal();
  members.text("\"system\":\"", system);
  // qty-3: a code means nothing without its system.
  if (!system.empty()) members.text("\"code\":\"", unit ? unit->code : value.code.reveal());
  members.end();
}

void put_attachment(JsonSink& sink, const Value& value) {
  Members members{sink};
  members.text("\"contentType\":\"", value.code.reveal());
  members.text("\"data\":\"", value.data.reveal());
  members.text("\"url\":\"", value.text.reveal());
  if (value.size_bytes >= 0) members.digits("\"size\":", std::to_string(value.size_bytes));
  members.text("\"title\":\"", value.display.reveal());
  members.end();
}

// What the bundle cannot hold (`#x`, `urn:...`) would dangle in it: said as an identifier instead.
void put_reference(JsonSink& sink, std::string_view text) {
  const bool literal = !text.starts_with('#') && !text.starts_with("urn:");
  sink.put(literal ? R"({"reference":")" : R"({"identifier":{"value":")");
  sink.put_escaped(text);
  sink.put(literal ? R"("})" : R"("}})");
}

void put_number_with_unit(JsonSink& sink, std::string_view digits, std::string_view unit) {
  sink.put(R"("valueQuantity":{"value":)");
  sink.put(digits);
  sink.put(unit);
  sink.put('}');
}

bool states_offset(std::string_view time) {
  return time.ends_with('Z') || time[time.size() - 6] == '+' || time[time.size() - 6] == '-';
}

}  // namespace

bool says_something(const Value& value) {
  switch (value.kind) {
    case ValueKind::none:
      return false;
    case ValueKind::boolean:
      return true;
    case ValueKind::attachment:
      return !value.text.empty() || !value.data.empty() || !value.code.empty() ||
             !value.display.empty() || value.size_bytes >= 0;
    case ValueKind::quantity:
      return (value.has_value && !value.text.empty()) || !value.display.empty() ||
             !value.code.empty() || !value.system.empty();
    case ValueKind::coding:
      return !value.text.empty() || !value.display.empty() || !value.system.empty();
    case ValueKind::raw_text:
    case ValueKind::raw_number:
    case ValueKind::integer:
    case ValueKind::decimal:
    case ValueKind::date:
    case ValueKind::date_time:
    case ValueKind::time:
    case ValueKind::uri:
    case ValueKind::reference:
    case ValueKind::string:
      return !value.text.empty();
  }
  return false;
}

bool observable(const Value& value) {
  return value.kind != ValueKind::attachment && value.kind != ValueKind::reference;
}

std::uint32_t chosen_option(const FormItem& item, const FhirPlan::Item& plan, const Value& value) {
  if (value.kind != ValueKind::coding) return no_option;
  if (!value.system.empty())
    return find_option(item.options, plan.option_order, value).value_or(no_option);
  const OptionMatch match = find_code(item.options, plan.option_order, value.text.reveal());
  return match.count == 1 && item.options[match.first].kind == Option::Kind::coding ? match.first
                                                                                    : no_option;
}

void put_answer_value(JsonSink& sink, const ValuePlace& place, const Value& value) {
  const std::string_view text = value.text.reveal();
  switch (value.kind) {
    case ValueKind::boolean:
      return sink.put(value.boolean ? R"("valueBoolean":true)" : R"("valueBoolean":false)");
    case ValueKind::integer:
      sink.put(R"("valueInteger":)");
      return sink.put(text);
    case ValueKind::decimal:
      sink.put(R"("valueDecimal":)");
      return sink.put(text);
    case ValueKind::date:
      return put_text(sink, R"("valueDate":")", text);
    case ValueKind::date_time:
      return put_text(sink, R"("valueDateTime":")", text);
    case ValueKind::time:
      return put_text(sink, R"("valueTime":")", text);
    case ValueKind::string:
      return put_text(sink, R"("valueString":")", text);
    case ValueKind::uri:
      return put_text(sink, R"("valueUri":")", text);
    case ValueKind::coding:
      sink.put(R"("valueCoding":)");
      return put_coding(sink, place, value);
    case ValueKind::quantity:
      sink.put(R"("valueQuantity":)");
      return put_quantity(sink, place, value);
    case ValueKind::attachment:
      sink.put(R"("valueAttachment":)");
      return put_attachment(sink, value);
    case ValueKind::reference:
      sink.put(R"("valueReference":)");
      return put_reference(sink, text);
    case ValueKind::none:
    case ValueKind::raw_text:
    case ValueKind::raw_number:
      break;
  }
  ensure(false);  // a checked diary has typed values only
}

void put_observation_value(JsonSink& sink, const ValuePlace& place, const Value& value) {
  const std::string_view text = value.text.reveal();
  switch (value.kind) {
    case ValueKind::integer:
      if (place.plan.unit.empty()) return put_answer_value(sink, place, value);
      return put_number_with_unit(sink, text, place.plan.unit);
    case ValueKind::decimal:
      return put_number_with_unit(sink, text, place.plan.unit);
    case ValueKind::date:
      return put_text(sink, R"("valueDateTime":")", text);
    case ValueKind::uri:
      return put_text(sink, R"("valueString":")", text);
    case ValueKind::coding:
      sink.put(R"("valueCodeableConcept":{"coding":[)");
      put_coding(sink, place, value);
      return sink.put("]}");
    default:
      return put_answer_value(sink, place, value);
  }
}

std::string_view complete_date_time(std::string_view text, const ParsedDateTime& parsed,
                                    Arena& arena) {
  constexpr int offset_max = 14 * 60;
  constexpr std::size_t day_chars = 10, offset_chars = 6;
  if (text.size() <= day_chars || states_offset(text)) return text;
  const int offset = parsed.offset_minutes.value_or(offset_max + 1);
  if (std::abs(offset) > offset_max) return text.substr(0, day_chars);
  const int minutes = std::abs(offset);
  const auto digit = [](int n) { return static_cast<char>('0' + n); };
  const std::span<char> out = arena.array<char>(text.size() + offset_chars);
  char* at = std::copy(text.begin(), text.end(), out.data());
  *at++ = offset < 0 ? '-' : '+';
  *at++ = digit(minutes / 600);
  *at++ = digit(minutes / 60 % 10);
  *at++ = ':';
  *at++ = digit(minutes % 60 / 10);
  *at = digit(minutes % 10);
  return {out.data(), out.size()};
}

}  // namespace vesper
