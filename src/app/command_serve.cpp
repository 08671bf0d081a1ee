#include <unistd.h>

#include "app/commands.hpp"
#include "app/config_load.hpp"
#include "app/serve.hpp"

namespace vesper {

ExitStatus command_serve(Invocation& invocation) {
  const bool demo = invocation.flag("demo");
  const auto file = invocation.text("config");
  const auto config = load_config(file ? std::optional<std::filesystem::path>{*file} : std::nullopt,
                                  config_environment(environ), {.issuers = !demo});
  if (!config) {
    for (const std::string& fault : config.error()) invocation.err << "vesper: " << fault << "\n";
    return ExitStatus::usage;
  }
  if (demo && (!config->intake.listen.loopback() || !config->admin.listen.loopback())) {
    invocation.err << "vesper: intake.listen = \"" << config->intake.listen.host
                   << "\": must be a loopback address with --demo, whose keys everybody knows\n";
    return ExitStatus::usage;
  }
  if (invocation.flag("check-config")) {
    invocation.err << "vesper: the configuration is in order\n";
    return ExitStatus::done;
  }
  return static_cast<ExitStatus>(run_serve(*config, demo));
}

}  // namespace vesper
