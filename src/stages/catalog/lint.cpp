#include "stages/catalog/lint.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace vesper {
namespace {

constexpr std::size_t issues_max = 200;

std::string_view name_of(JsonKind kind) {
  switch (kind) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return "true or false";
    case JsonKind::number:
      return "a number";
    case JsonKind::string:
      return "a string";
    case JsonKind::array:
      return "a list";
    case JsonKind::object:
      return "an object";
  }
  std::unreachable();
}

}  // namespace

void Lint::add(Severity severity, IssueCode code, std::string path, std::string text) {
  if (issues_.size() > issues_max) return;
  if (issues_.size() == issues_max) {
    severity = Severity::error;
    text = "There are more faults; the first 200 are listed.";
  }
  issues_.push_back({severity, code, IssueKind::form, std::move(text), std::move(path)});
}

const JsonValue* Lint::take(const JsonValue& object, std::string_view member, JsonKind kind,
                            const std::string& path) {
  const JsonValue* value = object.find(member);
  if (value == nullptr || value->is(kind)) return value;
  error(IssueCode::structure, path_to(path, member),
        fmt::format("{} must be {}.", member, name_of(kind)));
  return nullptr;
}

std::string Lint::text(const JsonValue& object, std::string_view member, const std::string& path) {
  const JsonValue* value = take(object, member, JsonKind::string, path);
  return value == nullptr ? std::string{} : std::string{value->text};
}

bool Lint::flag(const JsonValue& object, std::string_view member, const std::string& path) {
  const JsonValue* value = take(object, member, JsonKind::boolean, path);
  return value != nullptr && value->boolean;
}

std::string Lint::required_text(const JsonValue& object, std::string_view member,
                                const std::string& path) {
  const JsonValue* value = object.find(member);
  if (value == nullptr) {
    error(IssueCode::required, path_to(path, member), fmt::format("{} is missing.", member));
    return {};
  }
  std::string found = text(object, member, path);
  if (found.empty() && value->is(JsonKind::string))
    error(IssueCode::value, path_to(path, member), fmt::format("{} is empty.", member));
  return found;
}

void Lint::warn_unknown(const JsonValue& object, std::span<const std::string_view> known,
                        const std::string& path) {
  for (const JsonValue& member : object)
    if (!member.name.starts_with('_') && std::ranges::find(known, member.name) == known.end())
      warn(path_to(path, member.name), "This member is not known here and is ignored.");
}

std::string path_to(const std::string& parent, std::string_view member) {
  return parent.empty() ? std::string{member} : fmt::format("{}.{}", parent, member);
}

std::string path_to(const std::string& parent, std::string_view list, std::size_t index) {
  return fmt::format("{}[{}]", path_to(parent, list), index);
}

std::optional<std::uint32_t> whole_number(std::string_view digits) {
  std::uint32_t number = 0;
  const char* last = digits.data() + digits.size();
  const auto [end, fault] = std::from_chars(digits.data(), last, number);
  if (fault != std::errc{} || end != last) return std::nullopt;
  return number;
}

Coding read_coding(const JsonValue& object) {
  const auto text = [&](std::string_view name) {
    const JsonValue* member = object.find(name);
    return member != nullptr && member->is(JsonKind::string) ? std::string{member->text}
                                                             : std::string{};
  };
  return {text("system"), text("version"), text("code"), text("display")};
}

}  // namespace vesper
