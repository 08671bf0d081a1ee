#include "app/commands.hpp"

namespace vesper {
namespace {

using enum OptionKind;

constexpr CommandOption serve_options[] = {
    {.name = "config",
     .kind = file,
     .argument = "FILE",
     .meaning = "Configuration, TOML. Without it: defaults and VESPER__ variables"},
    {.name = "demo", .meaning = "Demonstration trial and development keys, on loopback only"},
    {.name = "check-config", .meaning = "Check the configuration and stop"},
};

constexpr CommandArgument reference_arguments[] = {
    {.name = "FOLDER", .meaning = "The folder that is docs/reference"},
};

constexpr Command table[] = {
    {.name = "serve",
     .summary = "Serve intake and admin ports, keep diaries and deliver them",
     .detail = "Any key of the configuration can be set by an environment variable with two "
               "underscores between levels: VESPER__INTAKE__LISTEN=127.0.0.1:0.",
     .arguments = {},
     .options = serve_options,
     .run = command_serve},
    {.name = "reference",
     .summary = "Write the generated reference pages",
     .detail = "",
     .arguments = reference_arguments,
     .options = {},
     .listed = false,
     .run = command_reference},
};

}  // namespace

std::span<const Command> commands() {
  return table;
}

}  // namespace vesper
