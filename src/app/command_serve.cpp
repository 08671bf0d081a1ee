#include <unistd.h>

#include <algorithm>

#include "app/commands.hpp"
#include "app/config_load.hpp"
#include "app/serve.hpp"

namespace vesper {
namespace {

// Where the demonstration trial's destination is, unless the environment says otherwise.
constexpr std::string_view platform_variable = "VESPER__UPSTREAM__DEFAULT__URL";
constexpr std::string_view demonstration_platform = "http://127.0.0.1:9090";

bool names(const ConfigEnvironment& environment, std::string_view variable) {
  return std::ranges::any_of(environment, [&](const auto& pair) { return pair.first == variable; });
}

}  // namespace

ExitStatus command_serve(Invocation& invocation) {
  const bool demo = invocation.flag("demo");
  const auto file = invocation.text("config");
  auto environment = config_environment(environ);
  if (demo && !names(environment, platform_variable))
    environment.emplace_back(platform_variable, demonstration_platform);
  const auto read = [=] {
    return load_config(file ? std::optional<std::filesystem::path>{*file} : std::nullopt,
                       environment, {.issuers = !demo});
  };
  const auto config = read();
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
  return static_cast<ExitStatus>(run_serve(*config, demo, read));
}

}  // namespace vesper
