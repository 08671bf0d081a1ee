#pragma once
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/config.hpp"

namespace vesper {

/// What a key's value looks like in TOML.
enum class ConfigKind : std::uint8_t {
  number,       ///< integer between least and most
  flag,         ///< true or false
  text,         ///< string, not empty
  choice,       ///< one of `choices`
  choices,      ///< array of `choices`
  texts,        ///< array of strings
  text_map,     ///< table of strings
  address,      ///< "ADDRESS:PORT"
  path,         ///< file, relative to the configuration file
  path_or_url,  ///< file, or https URL
  url,          ///< http or https URL
  url_path,     ///< begins with a slash
  journal_url,  ///< sqlite:FILE
};

/// A checked value. A choice is its index; a path is absolute.
using ConfigValue = std::variant<std::string, std::int64_t, bool, std::vector<std::string>,
                                 std::map<std::string, std::string>, ListenAddress>;

/// One row of the table that the parser, the reference page and the error texts share.
struct ConfigKey {
  std::string_view section;  ///< "intake", "access.issuer", "upstream"
  std::string_view name;
  ConfigKind kind;
  std::string_view standard;  ///< default as text; empty: none
  std::int64_t least = 0, most = 0;
  std::string_view unit;
  std::string_view choices;  ///< separated by blanks
  bool required = false;
  bool secret = false;  ///< never printed; `NAME_file` may name a file that holds it
  bool live = false;    ///< taken over at SIGHUP without a restart
  std::string_view meaning;
  void (*store)(void* section, const ConfigValue& value);
};

/// How a section stands in the file: one table, an array of tables, or tables with names.
enum class ConfigShape : std::uint8_t { single, array, named };
struct ConfigSection {
  std::string_view name;
  ConfigShape shape;
  std::string_view meaning;
};

[[nodiscard]] std::span<const ConfigSection> config_sections();
[[nodiscard]] std::span<const ConfigKey> config_keys();
[[nodiscard]] const ConfigKey* find_config_key(std::string_view section, std::string_view name);

/// What a key takes, in words: "1 to 256", "one of none, token".
[[nodiscard]] std::string describe_range(const ConfigKey& key);

/// A value before it is checked, as TOML gave it or as text from the environment.
using RawConfigValue = std::variant<std::string, std::int64_t, double, bool,
                                    std::vector<std::string>, std::map<std::string, std::string>>;

/// Checks type and range.
///   Errors: what the key takes, for a sentence "KEY = VALUE: must be ...".
[[nodiscard]] std::expected<ConfigValue, std::string> check_config_value(
    const ConfigKey& key, const RawConfigValue& raw, const std::filesystem::path& base);
/// The same for the text of an environment variable, a file or a default: lists are separated by
/// commas, tables are `key=value` separated by commas.
[[nodiscard]] std::expected<ConfigValue, std::string> check_config_text(
    const ConfigKey& key, std::string_view text, const std::filesystem::path& base);

}  // namespace vesper
