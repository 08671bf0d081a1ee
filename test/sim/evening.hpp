#pragma once
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "node.hpp"

namespace vesper::sim {

/// How one simulated evening goes wrong.
struct Evening {
  std::uint64_t seed = 1;
  int patients = 12, diaries_each = 6;
  Duration length = 60s;  ///< with faults; afterwards everything heals
  int power_losses = 3;
  double request_lost = 0.03, reply_lost = 0.05;  ///< on the way between phone and server
  double invalid_share = 0.05;                    ///< diaries that the form refuses
  double leaves = 0;                              ///< share of tries whose phone hangs up
  int clock_steps = 0, full_disks = 0;            ///< happen so often
  DiskFaults disk{};
  UpstreamFaults upstream{};
};

/// What became of it.
struct Findings {
  std::vector<std::string> violations;  ///< promises broken, in words
  std::uint64_t trace_hash = 0, acknowledged = 0, refused = 0, tries = 0, restarts = 0;
};

/// Swarm faults: each seed arms another subset of them, at other strengths.
[[nodiscard]] Evening evening_of(std::uint64_t seed);

/// Plays one evening in virtual time: patients who repeat until they have an answer, a server that
/// loses power, a disk that stalls, a platform that fails; then heals it all and checks every
/// promise.
[[nodiscard]] Findings play(const Evening& evening);

}  // namespace vesper::sim
