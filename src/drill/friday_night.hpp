#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "drill/ledger.hpp"
#include "drill/rig.hpp"
#include "drill/watch.hpp"
#include "surge/report.hpp"

namespace vesper::drill {

/// The incident: baseline, then several times as much while the data platform slows from 20 ms to
/// 10 s, then baseline again with the platform healed.
struct FridayOptions {
  std::filesystem::path program;  ///< vesper
  std::filesystem::path naive;    ///< the incident's service; empty: not at hand
  std::vector<std::string> environment;
  double rate_per_s = 200, times = 5;
  Duration baseline = 10s, peak = 30s, after = 10s;
  ProcessLimits limits{.descriptors_max = 1024, .memory_max_mib = 512};  ///< of both services
  std::uint32_t pace_per_s = 0;  ///< of Vesper's journal; 0: as fast as the disk
  std::uint64_t seed = 1;
  std::function<void(const std::string&)> say = [](const std::string&) {};
};

/// One service's evening.
struct FridaySide {
  std::string name;
  surge::Report report{};
  std::vector<Moment> moments{};  ///< times since the first diary; before it, they are negative
  LedgerVerdict verdict{};
  std::string ended;               ///< in words
  double cpu_us_per_accepted = 0;  ///< of the server, deliveries included
  double memory_max_mib = 0, tasks_max = 0, undelivered_max = 0;
  std::uint32_t descriptors_max = 0;
};

struct FridayNight {
  FridayOptions options;
  WallTime began{};
  std::vector<FridaySide> sides;  ///< vesper last
  std::vector<std::string> notes;
};

/// Errors: a sentence; Vesper's evening could not be played.
[[nodiscard]] std::expected<FridayNight, std::string> run_friday_night(FridayOptions options);

/// True when Vesper kept what the incident's service did not: nothing lost, doubled or misordered.
[[nodiscard]] bool vesper_held(const FridayNight& night);

[[nodiscard]] std::string to_json(const FridayNight& night);
[[nodiscard]] std::string to_text(const FridayNight& night);
/// One self-contained page with plots.
[[nodiscard]] std::string to_html(const FridayNight& night);

}  // namespace vesper::drill
