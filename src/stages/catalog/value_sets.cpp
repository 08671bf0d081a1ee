#include "stages/catalog/value_sets.hpp"

#include <algorithm>

#include "stages/catalog/extensions.hpp"
#include "stages/catalog/lint.hpp"

namespace vesper {
namespace {

constexpr int import_depth_max = 8;

std::string_view text_of(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.find(name);
  return member != nullptr && member->is(JsonKind::string) ? member->text : std::string_view{};
}

bool is_true(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.find(name);
  return member != nullptr && member->boolean;
}

void add(const JsonValue& entry, std::string_view system, std::vector<Option>& out) {
  Option option;
  option.coding = read_coding(entry);
  if (option.coding.system.empty()) option.coding.system = system;
  option.score = find_score(entry);
  out.push_back(std::move(option));
}

// `contains` of an expansion and `concept` of a code system both nest.
void add_nested(const JsonValue& list, std::string_view nested, std::string_view system,
                std::vector<Option>& out) {
  for (const JsonValue& entry : list) {
    if (!is_true(entry, "abstract") && !text_of(entry, "code").empty()) add(entry, system, out);
    if (const JsonValue* inner = entry.find(nested)) add_nested(*inner, nested, system, out);
  }
}

bool same_code(const Option& a, const Option& b) {
  return a.coding.system == b.coding.system && a.coding.code == b.coding.code;
}

void keep_common(std::vector<Option>& kept, const std::vector<Option>& others) {
  std::erase_if(kept, [&](const Option& option) {
    return std::ranges::none_of(others, [&](const Option& o) { return same_code(option, o); });
  });
}

void keep_others(std::vector<Option>& kept, const std::vector<Option>& excluded) {
  std::erase_if(kept, [&](const Option& option) {
    return std::ranges::any_of(excluded, [&](const Option& o) { return same_code(option, o); });
  });
}

}  // namespace

bool ValueSets::expand(std::string_view canonical, std::vector<Option>& out) {
  return expand(canonical, out, 0);
}

bool ValueSets::expand(std::string_view canonical, std::vector<Option>& out, int depth) {
  if (depth > import_depth_max || sets_left_-- <= 0) return false;
  if (const JsonValue* set = find_contained("ValueSet", canonical))
    return expand_set(*set, out, depth);
  return expand_well_known(canonical, out);
}

bool ValueSets::expand_set(const JsonValue& set, std::vector<Option>& out, int depth) {
  if (const JsonValue* expansion = set.find("expansion"))
    if (const JsonValue* contains = expansion->find("contains")) {
      add_nested(*contains, "contains", {}, out);
      return true;
    }
  const JsonValue* compose = set.find("compose");
  if (compose == nullptr) return false;
  const JsonValue* include = compose->find("include");
  if (include == nullptr || include->size == 0) return false;
  for (const JsonValue& part : *include)
    if (!expand_part(part, out, depth)) return false;
  if (const JsonValue* exclude = compose->find("exclude"))
    for (const JsonValue& part : *exclude) {
      std::vector<Option> gone;
      if (!expand_part(part, gone, depth)) return false;
      keep_others(out, gone);
    }
  return true;
}

// One include or exclude: codes of a system, limited to every value set it names.
bool ValueSets::expand_part(const JsonValue& part, std::vector<Option>& out, int depth) {
  if (part.find("filter") != nullptr) return false;
  const std::string_view system = text_of(part, "system");
  const JsonValue* concepts = part.find("concept");
  const JsonValue* sets = part.find("valueSet");
  std::vector<Option> found;
  bool limited = false;
  if (concepts != nullptr) {
    for (const JsonValue& entry : *concepts) add(entry, system, found);
    limited = true;
  } else if (!system.empty()) {
    if (!expand_system(system, found)) return false;
    limited = true;
  }
  if (sets != nullptr)
    for (const JsonValue& canonical : *sets) {
      std::vector<Option> imported;
      if (!expand(canonical.text, imported, depth + 1)) return false;
      if (limited) {
        keep_common(found, imported);
      } else {
        found = std::move(imported);
      }
      limited = true;
    }
  out.insert(out.end(), found.begin(), found.end());
  return limited;
}

bool ValueSets::expand_system(std::string_view system, std::vector<Option>& out) const {
  const JsonValue* code_system = find_contained("CodeSystem", system);
  if (code_system == nullptr || text_of(*code_system, "content") == "fragment") return false;
  const JsonValue* concepts = code_system->find("concept");
  if (concepts == nullptr) return false;
  add_nested(*concepts, "concept", system, out);
  return true;
}

const JsonValue* ValueSets::find_contained(std::string_view type,
                                           std::string_view canonical) const {
  const JsonValue* contained = questionnaire_.find("contained");
  if (contained == nullptr) return nullptr;
  const auto bar = canonical.find('|');
  const std::string_view url = canonical.substr(0, bar);
  for (const JsonValue& resource : *contained) {
    if (text_of(resource, "resourceType") != type) continue;
    if (canonical.starts_with('#') ? text_of(resource, "id") == canonical.substr(1)
                                   : text_of(resource, "url") == url)
      if (bar == std::string_view::npos ||
          text_of(resource, "version") == canonical.substr(bar + 1))
        return &resource;
  }
  return nullptr;
}

}  // namespace vesper
