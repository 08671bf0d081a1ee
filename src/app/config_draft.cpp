#include "app/config_draft.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "app/nearest.hpp"
#include "base/ensure.hpp"

namespace vesper {
namespace {

constexpr std::size_t secret_bytes_max = 64 * 1024;

struct Shown {
  std::string operator()(const std::string& text) const { return fmt::format("\"{}\"", text); }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::vector<std::string>& list) const {
    return fmt::format("[{}]", fmt::join(list, ", "));
  }
  std::string operator()(const std::map<std::string, std::string>& map) const {
    std::string out;
    for (const auto& [name, value] : map)
      out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", name, value);
    return "{" + out + "}";
  }
};

// The text of a secret's file, without the newline an editor leaves.
std::optional<std::string> read_secret(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (!file || text.size() > secret_bytes_max) return std::nullopt;
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

std::string_view without_file_ending(std::string_view name) {
  return name.ends_with("_file") ? name.substr(0, name.size() - 5) : std::string_view{};
}

std::vector<std::string_view> names_of(std::string_view section) {
  std::vector<std::string_view> out;
  for (const ConfigKey& key : config_keys())
    if (key.section == section) out.push_back(key.name);
  return out;
}

}  // namespace

void ConfigDraft::open(const ConfigPlace& place) {
  tables_[place];
}

void ConfigDraft::unknown(const ConfigPlace& place, std::string_view name,
                          const std::string& origin) {
  const std::string_view meant = nearest(name, names_of(place.section));
  fault(fmt::format("{}: {}.{}: no such key{}", origin, place.spelled(), name,
                    meant.empty() ? "" : fmt::format("; did you mean `{}`?", meant)));
}

void ConfigDraft::put(const ConfigPlace& place, std::string_view name, const RawConfigValue& value,
                      const std::string& origin) {
  put_any(place, name, value, Given::typed, origin);
}

void ConfigDraft::put_text(const ConfigPlace& place, std::string_view name, const std::string& text,
                           const std::string& origin) {
  put_any(place, name, text, Given::text, origin);
}

void ConfigDraft::put_any(const ConfigPlace& place, std::string_view name,
                          const RawConfigValue& value, Given given, const std::string& origin) {
  const ConfigKey* key = find_config_key(place.section, name);
  RawConfigValue raw = value;
  if (key == nullptr) {
    // Anything may come from a file in the environment; in the configuration file only secrets.
    key = find_config_key(place.section, without_file_ending(name));
    const auto* path = std::get_if<std::string>(&value);
    if (key == nullptr || path == nullptr || (given == Given::typed && !key->secret))
      return unknown(place, name, origin);
    auto text = read_secret(base_ / *path);
    if (!text)
      return fault(fmt::format("{}: {}.{} = \"{}\": must be a readable file of at most {} bytes",
                               origin, place.spelled(), name, *path, secret_bytes_max));
    raw = *std::move(text);
    given = key->kind == ConfigKind::text ? Given::typed : Given::text;
  }
  auto checked = given == Given::text ? check_config_text(*key, std::get<std::string>(raw), base_)
                                      : check_config_value(*key, raw, base_);
  if (!checked)
    return fault(fmt::format("{}: {}.{} = {}: {}", origin, place.spelled(), key->name,
                             key->secret ? "(secret)" : std::visit(Shown{}, raw), checked.error()));
  tables_[place].insert_or_assign(std::string(key->name), *std::move(checked));
}

void ConfigDraft::fill(void* section, const ConfigPlace& place,
                       const std::map<std::string, ConfigValue, std::less<>>& values) const {
  for (const ConfigKey& key : config_keys()) {
    if (key.section != place.section) continue;
    if (const auto it = values.find(key.name); it != values.end()) {
      key.store(section, it->second);
    } else if (key.required) {
      faults_.push_back(fmt::format("{}.{}: missing; it must be {}", place.spelled(), key.name,
                                    describe_range(key)));
    } else if (!key.standard.empty()) {
      const auto standard = check_config_text(key, key.standard, base_);
      ensure(standard.has_value());
      key.store(section, *standard);
    }
  }
}

Config ConfigDraft::finish() const {
  Config config;
  const auto fill_single = [&](std::string_view name, void* section) {
    const ConfigPlace place{std::string(name), ""};
    const auto it = tables_.find(place);
    fill(section, place, it == tables_.end() ? decltype(it->second){} : it->second);
  };
  fill_single("intake", &config.intake);
  fill_single("admin", &config.admin);
  fill_single("journal", &config.journal);
  fill_single("receipts", &config.receipts);
  fill_single("anchor", &config.anchor);
  fill_single("limits", &config.limits);
  fill_single("admission", &config.admission);
  fill_single("log", &config.log);
  fill_single("shutdown", &config.shutdown);
  std::map<int, IssuerConfig> issuers;  // by number: "10" comes after "9"
  for (const auto& [place, values] : tables_) {
    if (place.section == "access.issuer") {
      int index = 0;
      std::from_chars(place.instance.data(), place.instance.data() + place.instance.size(), index);
      fill(&issuers[index], place, values);
    } else if (place.section == "upstream") {
      auto& upstream = config.upstreams.emplace_back();
      upstream.name = place.instance;
      fill(&upstream, place, values);
    }
  }
  for (auto& [index, issuer] : issuers) config.issuers.push_back(std::move(issuer));
  return config;
}

}  // namespace vesper
