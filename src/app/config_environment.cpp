#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "app/config_draft.hpp"
#include "app/nearest.hpp"

namespace vesper {
namespace {

constexpr std::string_view prefix = "VESPER__";

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::vector<std::string> levels(std::string_view name) {
  std::vector<std::string> out;
  name.remove_prefix(prefix.size());
  while (true) {
    const std::size_t end = name.find("__");
    out.push_back(lower(name.substr(0, end)));
    if (end == std::string_view::npos) return out;
    name.remove_prefix(end + 2);
  }
}

// An environment name has no hyphen and no case: `VESPER__UPSTREAM__SITE_A__URL` means a table
// `[upstream.Site-A]` of the file when there is one.
std::string instance_name(const std::string& given, std::string_view section,
                          const ConfigDraft& draft) {
  for (const auto& [place, values] : draft.tables()) {
    if (place.section != section) continue;
    std::string folded = lower(place.instance);
    std::ranges::replace(folded, '-', '_');
    if (folded == given) return place.instance;
  }
  return given;
}

bool array_index(std::string_view text) {
  return !text.empty() && text.size() <= 3 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }) &&
         (text.size() == 1 || text[0] != '0');
}

struct Target {
  ConfigPlace place;
  std::string key;
};

std::optional<Target> target_of(const std::vector<std::string>& path, const ConfigDraft& draft) {
  for (const ConfigSection& section : config_sections()) {
    std::size_t depth = 0;
    std::string joined;
    for (; depth < path.size() && joined.size() < section.name.size(); ++depth)
      joined += (depth == 0 ? "" : ".") + path[depth];
    if (joined != section.name) continue;
    std::string instance;
    if (section.shape != ConfigShape::single) {
      if (depth == path.size() || path[depth].empty()) return std::nullopt;
      if (section.shape == ConfigShape::array && !array_index(path[depth])) return std::nullopt;
      instance = section.shape == ConfigShape::named
                     ? instance_name(path[depth], section.name, draft)
                     : path[depth];
      ++depth;
    }
    if (depth + 1 != path.size()) return std::nullopt;
    return Target{{std::string(section.name), instance}, path[depth]};
  }
  return std::nullopt;
}

// The name a person probably meant, spelled as a variable; for tables with names or numbers with
// the given one in its place.
std::string nearest_variable(std::string_view name, const std::vector<std::string>& path) {
  std::vector<std::string> spelled;
  for (const ConfigKey& key : config_keys()) {
    std::string variable{prefix};
    for (char c : key.section) variable += c == '.' ? std::string("__") : std::string(1, c);
    if (key.section == "access.issuer") variable += "__0";
    if (key.section == "upstream") variable += "__" + (path.size() > 1 ? path[1] : "default");
    variable += "__" + std::string(key.name);
    for (char& c : variable)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    spelled.push_back(std::move(variable));
  }
  const std::vector<std::string_view> views{spelled.begin(), spelled.end()};
  return std::string(nearest(name, views));
}

}  // namespace

ConfigEnvironment config_environment(char** environ) {
  ConfigEnvironment out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const std::size_t equals = text.find('=');
    if (text.starts_with(prefix) && equals != std::string_view::npos)
      out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  std::ranges::sort(out);
  return out;
}

void draft_environment(const ConfigEnvironment& environment, ConfigDraft& draft) {
  for (const auto& [name, value] : environment) {
    if (std::ranges::find(environment, name + "_FILE", &ConfigEnvironment::value_type::first) !=
        environment.end()) {
      draft.fault(fmt::format("environment {0}: {0}_FILE is set too; set one of them", name));
      continue;
    }
    const auto path = levels(name);
    const auto target = target_of(path, draft);
    if (!target) {
      const std::string meant = nearest_variable(name, path);
      draft.fault(fmt::format("environment {}: no such key{}", name,
                              meant.empty() ? "" : fmt::format("; did you mean `{}`?", meant)));
      continue;
    }
    draft.put_text(target->place, target->key, value, "environment " + name);
  }
}

}  // namespace vesper
