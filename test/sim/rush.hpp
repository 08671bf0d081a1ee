#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node.hpp"

namespace vesper::sim {

/// A stretch of the evening; none where `to` is not after `from`.
struct Span {
  Instant from{}, to{};
  [[nodiscard]] bool any() const { return to > from; }
  [[nodiscard]] bool has(Instant at) const { return any() && at >= from && at < to; }
  [[nodiscard]] bool meets(Instant begin, Instant end) const {
    return any() && begin < to && end > from;
  }
  [[nodiscard]] Duration length() const { return any() ? to - from : Duration::zero(); }
};

enum class Illness : std::uint8_t { none, dead, hangs, fails, half, mostly, queues };

/// One evening of two trials, A and B, of which A is launched, and all that goes wrong in it.
struct Rush {
  std::uint64_t seed = 1;
  Duration length = 24s;              ///< then everything heals, and nobody new comes
  double a_per_s = 40, b_per_s = 30;  ///< diaries of patients who come every evening
  double launch_times = 0;            ///< of capacity: new patients of A while `launch`
  Span launch, stalled, full, paced, crashed, keys_gone, forging, ill;
  Illness illness = Illness::none;
  double pace_per_s = 200;    ///< of the journal while `paced`
  double forged_per_s = 400;  ///< while `forging`
  double leaves = 0;          ///< share of tries whose client hangs up
  int clock_steps = 0;
  bool greedy = false;      ///< one patient of A sends twenty a second
  bool limited = false;     ///< patients have rates and quotas
  bool trial_rate = false;  ///< so has trial A
  bool keys_hang = false;   ///< else they are refused
  NodeSettings settings{};  ///< what is promised, and judged
  DiskFaults disk{};
  /// Negative control: what is really built, behind the backs of the checks.
  std::function<void(NodeSettings&, DiskFaults&)> breaks{};
};

/// One try of one request, as its client and the checks see it.
struct Try {
  enum class Who : std::uint8_t { patient, launched, greedy, visitor, forger, reader, probe };
  Who who = Who::patient;
  bool of_a = true;
  std::uint32_t life = 0;   ///< of which process
  std::uint64_t diary = 0;  ///< which one, over the whole evening
  Told told{};              ///< status 0: no answer came
  WallTime wall{};          ///< when it was read
  bool left = false;        ///< its client hung up
  VisitPtr visit{};         ///< of one that left for good: what was answered to nobody
};

/// All that happened, for the checks.
struct Diary {
  Uuid id{};
  Try::Who who = Try::Who::patient;
  bool of_a = true, in = false, given_up = false;
  std::uint32_t tries = 0;
  std::optional<Instant> refused{}, done{};  ///< first 503, 507 or nothing at all; in or given up
  std::string receipt{};
};
struct Level {
  Instant at;
  std::uint32_t life;
  int level;
};
struct Happened {
  Rush rush;
  std::vector<Try> tries;
  std::vector<Diary> diaries;
  std::vector<Level> levels;  ///< each change
  std::vector<std::pair<std::uint32_t, Instant>> cold_checks;
  const Platter* platter = nullptr;
  const SimPlatform* platform = nullptr;
  const KeyIssuer* keys = nullptr;
  std::uint32_t lives = 0;
  int level_at_last = 0;
};

struct RushFindings {
  std::vector<std::string> violations;
  std::uint64_t trace_hash = 0;
  std::size_t tries = 0, acknowledged = 0, refused = 0, levels = 0, checks = 0;
};

/// Swarm: each seed arms another subset of the faults and limits, at other strengths.
[[nodiscard]] Rush rush_of(std::uint64_t seed);
[[nodiscard]] RushFindings play(const Rush& rush);

/// Every promise of every limiter; `checks` counts how many had something to judge.
void check(const Happened& happened, RushFindings& findings);

}  // namespace vesper::sim
