#include "stages/catalog/extensions.hpp"

#include <cstdlib>
#include <limits>

#include <fmt/format.h>
#include <re2/re2.h>

namespace vesper {
namespace {

using Number = std::optional<std::uint32_t>;

void read_number(const JsonValue& element, std::string_view url, const std::string& path,
                 Lint& lint, Number& out) {
  const JsonValue* value = find_extension(element, url);
  if (value == nullptr) return;
  if (value->is(JsonKind::number)) out = whole_number(value->text);
  if (!out)
    lint.error(IssueCode::value, path_to(path, "extension"),
               fmt::format("{} needs a whole number.", url));
}

std::optional<Bound> bound_of(const JsonValue& value) {
  static constexpr std::pair<std::string_view, ItemType> types[] = {
      {"valueInteger", ItemType::integer}, {"valueDecimal", ItemType::decimal},
      {"valueDate", ItemType::date},       {"valueDateTime", ItemType::date_time},
      {"valueTime", ItemType::time},       {"valueQuantity", ItemType::quantity}};
  for (const auto& [name, type] : types) {
    if (value.name != name) continue;
    Bound bound{type, std::string{value.text}, {}};
    if (type != ItemType::quantity) return bound;
    const JsonValue* number = value.find("value");
    if (number == nullptr || !number->is(JsonKind::number)) return std::nullopt;
    bound.text = number->text;
    bound.unit = read_coding(value);
    if (const JsonValue* unit = value.find("unit")) bound.unit.display = unit->text;
    return bound;
  }
  return std::nullopt;
}

void read_bound(const JsonValue& element, std::string_view url, const std::string& path, Lint& lint,
                std::optional<Bound>& out) {
  const JsonValue* value = find_extension(element, url);
  if (value == nullptr) return;
  out = bound_of(*value);
  if (!out)
    lint.error(IssueCode::value, path_to(path, "extension"),
               fmt::format("{} needs an integer, decimal, date, dateTime, time or Quantity.", url));
}

void read_regex(const JsonValue& element, const std::string& path, Lint& lint, FormItem& item) {
  const JsonValue* value = find_extension(element, extension_url::regex);
  if (value == nullptr) return;
  item.regex = std::string{value->text};
  const re2::RE2 compiled(*item.regex, re2::RE2::Quiet);
  if (!compiled.ok())
    lint.error(IssueCode::value, path_to(path, "extension"),
               fmt::format("The regex cannot be used (RE2 syntax): {}.", compiled.error()));
}

// maxSize counts bytes: R4 left the unit open, the extension's later releases say so.
void read_max_size(const JsonValue& element, const std::string& path, Lint& lint, FormItem& item) {
  const JsonValue* value = find_extension(element, extension_url::max_size);
  if (value == nullptr) return;
  const double bytes =
      value->is(JsonKind::number) ? std::strtod(std::string{value->text}.c_str(), nullptr) : -1;
  if (!(bytes >= 0) || bytes > 1e15) {
    lint.error(IssueCode::value, path_to(path, "extension"),
               "maxSize needs a decimal of bytes from 0.");
    return;
  }
  item.max_size_bytes = static_cast<std::uint64_t>(bytes);
}

// A category is a CodeableConcept; each of its codings counts.
void read_categories(const JsonValue& element, FormItem& item) {
  each_extension(element, extension_url::extract_category, [&](const JsonValue& concept_value) {
    if (const JsonValue* codings = concept_value.find("coding"))
      for (const JsonValue& coding : *codings)
        item.extract_categories.push_back(read_coding(coding));
  });
}

}  // namespace

const JsonValue* find_extension(const JsonValue& element, std::string_view url) {
  const JsonValue* found = nullptr;
  each_extension(element, url, [&](const JsonValue& value) {
    if (found == nullptr) found = &value;
  });
  return found;
}

std::optional<std::string> find_score(const JsonValue& element) {
  for (const auto url : {extension_url::ordinal, extension_url::weight})
    if (const JsonValue* value = find_extension(element, url);
        value != nullptr && value->is(JsonKind::number))
      return std::string{value->text};
  return std::nullopt;
}

std::optional<bool> find_extract(const JsonValue& element) {
  const JsonValue* value = find_extension(element, extension_url::extract);
  if (value == nullptr || !value->is(JsonKind::boolean)) return std::nullopt;
  return value->boolean;
}

void read_item_extensions(const JsonValue& element, const std::string& path, Lint& lint,
                          FormItem& item) {
  namespace url = extension_url;
  read_bound(element, url::min_value, path, lint, item.min_value);
  read_bound(element, url::max_value, path, lint, item.max_value);
  if (!item.min_value) read_bound(element, url::min_quantity, path, lint, item.min_value);
  if (!item.max_value) read_bound(element, url::max_quantity, path, lint, item.max_value);
  read_number(element, url::min_length, path, lint, item.min_length);
  read_number(element, url::max_decimal_places, path, lint, item.max_decimal_places);
  read_number(element, url::min_occurs, path, lint, item.min_occurs);
  read_number(element, url::max_occurs, path, lint, item.max_occurs);
  read_regex(element, path, lint, item);
  read_max_size(element, path, lint, item);
  read_categories(element, item);
  each_extension(element, url::mime_type,
                 [&](const JsonValue& type) { item.mime_types.emplace_back(type.text); });
  each_extension(element, url::reference_resource,
                 [&](const JsonValue& type) { item.reference_types.emplace_back(type.text); });
  each_extension(element, url::unit_option,
                 [&](const JsonValue& unit) { item.unit_options.push_back(read_coding(unit)); });
  if (const JsonValue* unit = find_extension(element, url::unit)) item.unit = read_coding(*unit);
  if (const JsonValue* hidden = find_extension(element, url::hidden)) item.hidden = hidden->boolean;
  if (const JsonValue* units = find_extension(element, url::unit_value_set))
    item.unit_value_set = units->text;
}

}  // namespace vesper
