#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "app/commands.hpp"
#include "drill/drill.hpp"
#include "drill/friday_night.hpp"

namespace vesper {
namespace {

namespace fs = std::filesystem;

// The child is configured by the drill alone.
std::vector<std::string> environment_for_children() {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view{*entry}.starts_with("VESPER__")) kept.emplace_back(*entry);
  return kept;
}

std::function<void(const std::string&)> teller(Invocation& invocation) {
  if (invocation.flag("quiet")) return [](const std::string&) {};
  return [&invocation](const std::string& what) {
    invocation.err << "vesper drill: " << what << std::endl;
  };
}

drill::DrillOptions drill_options(Invocation& invocation) {
  drill::DrillOptions options;
  options.program = drill::own_program();
  options.environment = environment_for_children();
  options.rate_per_s = static_cast<double>(invocation.number("rate"));
  options.fault_for = std::chrono::seconds{invocation.number("seconds")};
  options.quiet_for = std::chrono::seconds{invocation.number("quiet-seconds")};
  options.latency_max = std::chrono::milliseconds{invocation.number("latency-ms")};
  options.refused_max_percent = static_cast<double>(invocation.number("refused-percent"));
  options.seed = static_cast<std::uint64_t>(invocation.number("seed"));
  options.control =
      drill::control_named(*invocation.text("control")).value_or(drill::Control::none);
  options.say = teller(invocation);
  return options;
}

std::optional<std::string> text_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return {};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

bool write_text(const fs::path& file, std::string_view text) {
  std::ofstream out{file, std::ios::binary | std::ios::trunc};
  out << text << "\n";
  out.flush();
  return out.good();
}

// NAME.json is the last good run, NAME.failed.json the last that was not: a regression never
// becomes what the next run is compared with.
std::optional<std::string> keep_and_compare(drill::Result& result, const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!result.skipped.empty() || !result.control.empty()) return {};
  const fs::path last = folder / (result.drill + ".json");
  if (const auto kept = text_of(last)) {
    const auto before = drill::figures_of(*kept);
    if (!before) return last.string() + ": " + before.error();
    result.regressions = drill::regressions(result, *before);
    result.compared = true;
  }
  const fs::path file = result.passed() ? last : folder / (result.drill + ".failed.json");
  if (!write_text(file, drill::to_json(result))) return file.string() + ": cannot be written";
  return {};
}

ExitStatus run_one(Invocation& invocation, const drill::Drill& drill,
                   const drill::DrillOptions& options) {
  options.say(fmt::format("{}: {}", drill.name, drill.summary));
  auto result = drill::run_drill(drill, options);
  if (!result) {
    invocation.err << "vesper drill: " << result.error() << "\n";
    return ExitStatus::usage;
  }
  if (const auto folder = invocation.text("results")) {
    if (const auto fault = keep_and_compare(*result, *folder)) {
      invocation.err << "vesper drill: " << *fault << "\n";
      return ExitStatus::usage;
    }
  }
  invocation.out << (invocation.flag("json") ? drill::to_json(*result) + "\n"
                                             : drill::to_text(*result))
                 << std::flush;
  return result->passed() ? ExitStatus::done : ExitStatus::answer_is_no;
}

// Beside the program, as `ninja` leaves it; a build tree keeps both in one folder.
fs::path naive_service(const Invocation& invocation) {
  if (invocation.flag("vesper-only")) return {};
  if (const auto given = invocation.text("naive")) return *given;
  const fs::path beside = drill::own_program().parent_path() / "vesper_naive";
  std::error_code failed;
  return fs::exists(beside, failed) ? beside : fs::path{};
}

drill::FridayOptions friday_options(Invocation& invocation) {
  const auto length = [&](const char* name) {
    return std::chrono::seconds{invocation.number(name)};
  };
  drill::FridayOptions options;
  options.program = drill::own_program();
  options.naive = naive_service(invocation);
  options.environment = environment_for_children();
  options.rate_per_s = static_cast<double>(invocation.number("rate"));
  options.times = static_cast<double>(invocation.number("times"));
  options.baseline = length("baseline-seconds");
  options.peak = length("peak-seconds");
  options.after = length("after-seconds");
  options.limits = {static_cast<std::uint32_t>(invocation.number("descriptors")),
                    static_cast<std::uint32_t>(invocation.number("memory-mib"))};
  options.pace_per_s = static_cast<std::uint32_t>(invocation.number("pace-per-s"));
  options.seed = static_cast<std::uint64_t>(invocation.number("seed"));
  options.say = teller(invocation);
  return options;
}

}  // namespace

ExitStatus command_drill_friday_night(Invocation& invocation) {
  const auto night = drill::run_friday_night(friday_options(invocation));
  if (!night) {
    invocation.err << "vesper drill: " << night.error() << "\n";
    return ExitStatus::usage;
  }
  if (const auto folder = invocation.text("report")) {
    std::error_code failed;
    fs::create_directories(*folder, failed);
    const fs::path page = fs::path{*folder} / "friday-night.html";
    if (!write_text(page, drill::to_html(*night)) ||
        !write_text(fs::path{*folder} / "friday-night.json", drill::to_json(*night))) {
      invocation.err << "vesper drill: " << *folder << ": cannot be written to\n";
      return ExitStatus::usage;
    }
    invocation.err << "vesper drill: see " << page.string() << "\n";
  }
  invocation.out << (invocation.flag("json") ? drill::to_json(*night) + "\n"
                                             : drill::to_text(*night));
  return drill::vesper_held(*night) ? ExitStatus::done : ExitStatus::answer_is_no;
}

ExitStatus command_drill_list(Invocation& invocation) {
  const bool json = invocation.flag("json");
  std::string out;
  for (const drill::Drill& drill : drill::drills())
    out += json ? fmt::format(R"({}{{"name":"{}","summary":"{}"}})", out.empty() ? "[" : ",",
                              drill.name, drill.summary)
                : fmt::format("{:<18} {}\n", drill.name, drill.summary);
  invocation.out << out << (json ? "]\n" : "");
  return ExitStatus::done;
}

ExitStatus command_drill_run(Invocation& invocation) {
  const std::string& name = invocation.arguments[0];
  const drill::DrillOptions options = drill_options(invocation);
  if (name != "all") {
    if (const drill::Drill* drill = drill::find_drill(name))
      return run_one(invocation, *drill, options);
    invocation.err << "vesper drill: " << name << ": no such drill; see `vesper drill list`\n";
    return ExitStatus::usage;
  }
  ExitStatus worst = ExitStatus::done;
  for (const drill::Drill& drill : drill::drills()) {
    const ExitStatus status = run_one(invocation, drill, options);
    if (status == ExitStatus::usage) return status;
    if (status != ExitStatus::done) worst = status;
  }
  return worst;
}

}  // namespace vesper
