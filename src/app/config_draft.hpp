#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "app/config_key.hpp"
#include "app/config_load.hpp"

namespace vesper {

/// One table of the configuration: `section` and, for arrays and named tables, which one.
struct ConfigPlace {
  std::string section;
  std::string instance;  ///< index or name; empty for a single table
  [[nodiscard]] std::string spelled() const {
    return instance.empty() ? section : section + "." + instance;
  }
  friend auto operator<=>(const ConfigPlace&, const ConfigPlace&) = default;
};

/// Values gathered from file and environment, checked one by one, before a Config is made of them.
///   Shape: a later put() of the same key wins.
class ConfigDraft {
 public:
  ConfigDraft(std::filesystem::path base, ConfigFaults& faults)
      : base_(std::move(base)), faults_(faults) {}
  /// Notes that the table stands in the file, even if empty.
  void open(const ConfigPlace& place);
  void put(const ConfigPlace& place, std::string_view name, const RawConfigValue& value,
           const std::string& origin);
  void put_text(const ConfigPlace& place, std::string_view name, const std::string& text,
                const std::string& origin);
  [[nodiscard]] bool knows(const ConfigPlace& place) const { return tables_.contains(place); }
  [[nodiscard]] const auto& tables() const { return tables_; }
  [[nodiscard]] Config finish() const;
  void fault(std::string text) { faults_.push_back(std::move(text)); }

 private:
  enum class Given : bool { typed, text };
  void put_any(const ConfigPlace& place, std::string_view name, const RawConfigValue& value,
               Given given, const std::string& origin);
  void unknown(const ConfigPlace& place, std::string_view name, const std::string& origin);
  void fill(void* section, const ConfigPlace& place,
            const std::map<std::string, ConfigValue, std::less<>>& values) const;

  std::filesystem::path base_;
  ConfigFaults& faults_;
  std::map<ConfigPlace, std::map<std::string, ConfigValue, std::less<>>> tables_;
};

/// Walks a TOML document into the draft.
void draft_toml(const std::filesystem::path& file, ConfigDraft& draft);
/// Walks `VESPER__A__B` variables into the draft.
void draft_environment(const ConfigEnvironment& environment, ConfigDraft& draft);

}  // namespace vesper
