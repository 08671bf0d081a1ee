#pragma once
#include <expected>
#include <functional>

#include "app/command.hpp"
#include "app/config.hpp"
#include "app/config_load.hpp"

namespace vesper {

/// Reads the configuration anew, for what may change at SIGHUP.
using ReadConfig = std::function<std::expected<Config, ConfigFaults>()>;

/// Wires every module and serves until SIGTERM or SIGINT; ends within 10 s of it, whatever hangs.
///   SIGHUP: certificates, keys and the configuration's live keys are read again.
///   `demo`: demonstration trial and development keys, on loopback only.
[[nodiscard]] int run_serve(const Config& config, bool demo, const ReadConfig& read_again);

}  // namespace vesper
