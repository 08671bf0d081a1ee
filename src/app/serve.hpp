#pragma once
#include "app/command.hpp"
#include "app/config.hpp"

namespace vesper {

/// Wires every module and serves until SIGTERM or SIGINT.
///   `demo`: demonstration trial and development keys, on loopback only.
[[nodiscard]] int run_serve(const Config& config, bool demo);

}  // namespace vesper
