#include "app/reference.hpp"

#include <fmt/format.h>

#include <string_view>

#include "app/command.hpp"
#include "app/config_key.hpp"
#include "flows/deliver/gate_figures.hpp"
#include "flows/openapi.hpp"
#include "io/metrics/metric_table.hpp"

namespace vesper {
namespace {

constexpr const char made_by[] =
    "<!-- Made by `vesper reference docs/reference`; change the table in {}, not this page. -->\n";

std::string heading(const ConfigSection& section) {
  switch (section.shape) {
    case ConfigShape::single:
      return fmt::format("[{}]", section.name);
    case ConfigShape::array:
      return fmt::format("[[{}]]", section.name);
    case ConfigShape::named:
      return fmt::format("[{}.NAME]", section.name);
  }
  return {};
}

std::string default_text(const ConfigKey& key) {
  if (key.required) return "required";
  return key.standard.empty() ? "none" : fmt::format("`{}`", key.standard);
}

std::string config_page() {
  std::string out =
      "# Configuration\n\n" + fmt::format(made_by, "src/app/config_table.cpp") +
      "\nTOML, given by `vesper serve --config FILE`. An unknown key stops the start, and so does "
      "a "
      "value out of its\nrange. Paths are relative to the configuration file.\n\n"
      "Any key can be set by an environment variable with `__` between levels, which wins over the "
      "file:\n`VESPER__INTAKE__LISTEN=127.0.0.1:0`, `VESPER__ACCESS__ISSUER__0__JWKS=keys.json`,\n"
      "`VESPER__UPSTREAM__DEFAULT__URL=https://platform.example`. Lists are separated by commas, "
      "tables are\n`kid=ES256,other=RS256`. With `_FILE` at its end the variable names a file that "
      "holds the value. Only names\nthat begin with `VESPER__` are configuration, and an unknown "
      "one is an error.\n\n"
      "A key marked *secret* can be given in the file as `NAME_file`, a file that holds it. A key "
      "marked *live* is\ntaken over at SIGHUP; every other change needs a restart.\n";
  for (const ConfigSection& section : config_sections()) {
    out += fmt::format(
        "\n## `{}`\n\n{}\n\n| key | default | unit | range | meaning |\n"
        "|---|---|---|---|---|\n",
        heading(section), section.meaning);
    for (const ConfigKey& key : config_keys())
      if (key.section == section.name)
        out += fmt::format("| `{}` | {} | {} | {} | {}{}{} |\n", key.name, default_text(key),
                           key.unit, describe_range(key), key.meaning,
                           key.secret ? " *Secret.*" : "", key.live ? " *Live.*" : "");
  }
  return out;
}

void append_metrics(std::string& out, std::string_view title, std::span<const MetricRow> rows) {
  out += fmt::format("\n## {}\n\n| metric | labels | meaning |\n|---|---|---|\n", title);
  for (const MetricRow& row : rows)
    out += row.labels.empty()
               ? fmt::format("| `{}` | | {} |\n", row.name, row.help)
               : fmt::format("| `{}` | `{}` | {} |\n", row.name, row.labels, row.help);
}

std::string metrics_page() {
  std::string out = "# Metrics\n\n" + fmt::format(made_by, "src/ports/telemetry.hpp") +
                    "\n`GET /metrics` on the admin port, Prometheus text format. Times are "
                    "seconds, sizes are bytes. No label ever\nholds patient data.\n";
  append_metrics(out, "Counters", counter_rows());
  append_metrics(out, "Gauges", gauge_rows());
  append_metrics(out, "Histograms", histogram_rows());
  out += "\n## Of each destination\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n";
  for (const GateMetric& row : gate_metrics())
    out += fmt::format("| `{}` | {} | `{}` | {} |\n", row.name, row.kind, row.labels, row.help);
  out += "\nBuckets of every histogram, in seconds:";
  for (const Duration bound : bucket_bounds())
    out += fmt::format(" {}", std::chrono::duration<double>(bound).count());
  return out + ".\n";
}

}  // namespace

std::map<std::string, std::string> reference_pages() {
  std::map<std::string, std::string> pages;
  pages["config.md"] = config_page();
  pages["metrics.md"] = metrics_page();
  pages["openapi.json"] = openapi_document(intake_routes(), admin_routes());
  std::string index = "# Commands\n\n" + fmt::format(made_by, "src/app/command_table.cpp") +
                      "\nExit status: 0 done, 1 the answer is no, 2 usage or configuration, 3 the "
                      "journal cannot be used. Results go to\nstdout, everything else to "
                      "stderr.\n\n| command | does |\n|---|---|\n";
  for (const Command& command : commands()) {
    if (!command.listed) continue;
    const std::string group{command.name.substr(0, command.name.find(' '))};
    std::string& page = pages["commands/" + group + ".md"];
    if (page.empty())
      page =
          fmt::format("# vesper {}\n\n", group) + fmt::format(made_by, "src/app/command_table.cpp");
    page += "\n" + reference_text(command);
    index += fmt::format("| [`vesper {}`]({}.md) | {} |\n", command.name, group, command.summary);
  }
  pages["commands/README.md"] = index;
  return pages;
}

}  // namespace vesper
