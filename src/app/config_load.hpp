#pragma once
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/config.hpp"

namespace vesper {

/// Why a start is refused: one sentence each, naming the place, the key, the value and the range.
using ConfigFaults = std::vector<std::string>;

/// Environment variables whose name begins with `VESPER__`, in order of name.
using ConfigEnvironment = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] ConfigEnvironment config_environment(char** environ);

/// What the caller relies on beside the keys themselves.
struct ConfigNeeds {
  bool issuers = true;  ///< at least one [[access.issuer]]; a demonstration brings its own
};

/// Reads the file, if there is one, lets the environment override it, fills in defaults, checks
/// every value and what values say about each other.
///   Errors: every fault found, never only the first.
[[nodiscard]] std::expected<Config, ConfigFaults> load_config(
    const std::optional<std::filesystem::path>& file, const ConfigEnvironment& environment,
    const ConfigNeeds& needs = {});

/// Faults between keys of a configuration whose values are each in range.
[[nodiscard]] ConfigFaults check_config(const Config& config, const ConfigNeeds& needs);

}  // namespace vesper
