#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <fstream>
#include <optional>

#include "app/config_draft.hpp"
#include "app/nearest.hpp"

namespace vesper {
namespace {

class Walk {
 public:
  Walk(std::string file, ConfigDraft& draft) : file_(std::move(file)), draft_(draft) {}

  void document(const toml::table& root) {
    for (const auto& [name, node] : root) {
      if (name.str() == "access" && node.is_table())
        for (const auto& [inner, child] : *node.as_table())
          section("access." + std::string(inner.str()), child);
      else
        section(std::string(name.str()), node);
    }
  }

 private:
  std::string origin(const toml::node& node) const {
    return fmt::format("{}:{}", file_, node.source().begin.line);
  }

  void section(const std::string& name, const toml::node& node) {
    const auto all = config_sections();
    const auto it = std::ranges::find(all, name, &ConfigSection::name);
    if (it == all.end()) {
      std::vector<std::string_view> names;
      for (const ConfigSection& known : all) names.push_back(known.name);
      const std::string_view meant = nearest(name, names);
      return draft_.fault(
          fmt::format("{}: {}: no such section{}", origin(node), name,
                      meant.empty() ? "" : fmt::format("; did you mean `{}`?", meant)));
    }
    switch (it->shape) {
      case ConfigShape::single:
        return single(name, node);
      case ConfigShape::array:
        return array(name, node);
      case ConfigShape::named:
        return named(name, node);
    }
  }

  void single(const std::string& name, const toml::node& node) {
    if (!node.is_table()) return wrong(name, node, "a table, [" + name + "]");
    keys({name, ""}, *node.as_table());
  }

  void array(const std::string& name, const toml::node& node) {
    const toml::array* tables = node.as_array();
    if (tables == nullptr || !tables->is_homogeneous<toml::table>())
      return wrong(name, node, "an array of tables, [[" + name + "]]");
    for (std::size_t i = 0; i < tables->size(); ++i)
      keys({name, std::to_string(i)}, *tables->get(i)->as_table());
  }

  void named(const std::string& name, const toml::node& node) {
    if (!node.is_table()) return wrong(name, node, "tables with names, [" + name + ".NAME]");
    for (const auto& [instance, child] : *node.as_table()) {
      if (!child.is_table() || !valid_name(instance.str()))
        wrong(name + "." + std::string(instance.str()), child,
              "a table [" + name + ".NAME], NAME of letters, digits, - and _");
      else
        keys({name, std::string(instance.str())}, *child.as_table());
    }
  }

  static bool valid_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_';
    });
  }

  void keys(const ConfigPlace& place, const toml::table& table) {
    draft_.open(place);
    for (const auto& [name, node] : table) {
      const auto raw = value(node);
      if (raw)
        draft_.put(place, name.str(), *raw, origin(node));
      else if (find_config_key(place.section, name.str()) != nullptr)
        wrong(place.spelled() + "." + std::string(name.str()), node,
              describe_range(*find_config_key(place.section, name.str())));
      else
        draft_.put(place, name.str(), std::string{}, origin(node));  // says it is unknown
    }
  }

  static std::optional<RawConfigValue> value(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return number->get();
    if (const auto* number = node.as_floating_point()) return number->get();
    if (const auto* flag = node.as_boolean()) return flag->get();
    if (const auto* list = node.as_array()) {
      std::vector<std::string> out;
      for (const toml::node& item : *list) {
        if (!item.is_string()) return std::nullopt;
        out.push_back(item.as_string()->get());
      }
      return out;
    }
    if (const auto* table = node.as_table()) {
      std::map<std::string, std::string> out;
      for (const auto& [name, item] : *table) {
        if (!item.is_string()) return std::nullopt;
        out.emplace(name.str(), item.as_string()->get());
      }
      return out;
    }
    return std::nullopt;
  }

  void wrong(const std::string& name, const toml::node& node, const std::string& range) {
    draft_.fault(fmt::format("{}: {}: must be {}", origin(node), name, range));
  }

  std::string file_;
  ConfigDraft& draft_;
};

}  // namespace

void draft_toml(const std::filesystem::path& file, ConfigDraft& draft) {
  std::ifstream stream{file, std::ios::binary};
  if (!stream || std::filesystem::is_directory(file))
    return draft.fault(fmt::format("{}: cannot be read", file.string()));
  try {
    const toml::table root = toml::parse(stream, file.string());
    Walk{file.filename().string(), draft}.document(root);
  } catch (const toml::parse_error& error) {
    draft.fault(fmt::format("{}:{}: not TOML: {}", file.filename().string(),
                            error.source().begin.line, error.description()));
  }
}

}  // namespace vesper
