#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/latency_histogram.hpp"
#include "base/time.hpp"

namespace vesper::surge {

/// How one try ended.
enum class TryEnd : std::uint8_t {
  answered,      ///< any status
  timed_out,     ///< no whole answer within the try's time-out
  cut,           ///< the connection failed, ended or said no HTTP
  no_connection  ///< all connections were in use: dropped at once, never queued
};

/// What a try came to that ended `took` after it was sent: past the time-out its client has given
/// up, even when many time-outs fall due at once and its answer is read first.
[[nodiscard]] constexpr TryEnd in_time(TryEnd end, Duration took, Duration timeout) {
  return took > timeout ? TryEnd::timed_out : end;
}

/// One try, when its outcome is known.
///   Units: times since the start. `latency` counts from the moment the try was due.
struct TryRecord {
  std::uint32_t trial = 0, patient = 0;
  std::string_view id{};  ///< the submission id, 36 characters
  std::uint32_t number = 1;
  Duration due{}, late{}, latency{};
  TryEnd end = TryEnd::answered;
  int status = 0;
  std::uint32_t retry_after_s = 0;  ///< 0: not stated
};

/// Statuses in the order of a report; the last place counts all others.
inline constexpr std::array<int, 16> counted_statuses = {201, 400, 401, 403, 404, 405, 408, 409,
                                                         413, 415, 422, 429, 500, 503, 507, 0};

/// What became of some tries.
struct Tally {
  std::uint64_t diaries = 0;  ///< first tries: what the patients wanted
  std::uint64_t tries = 0, accepted = 0, good = 0, refused = 0, failed = 0;
  std::uint64_t timed_out = 0, cut = 0, no_connection = 0;
  std::array<std::uint64_t, counted_statuses.size()> statuses{};
  LatencyHistogram accepted_latency{}, refused_latency{};

  void count(const TryRecord& record, Duration good_within);
  void merge(const Tally& other);
};

/// A status after which the same bytes are sent again.
[[nodiscard]] constexpr bool is_refusal(int status) {
  return status == 409 || status == 429 || status == 503 || status == 507;
}

/// CPU time of the server and of this program over some stretch; negative: unknown.
struct CpuUse {
  double server_s = -1, own_s = 0;
};

struct PhaseReport {
  Duration from{}, to{};
  double from_per_s = 0, to_per_s = 0;
  Tally all{}, first_second{};
  std::vector<Tally> trials{};
  CpuUse cpu{};
};

struct IntervalReport {
  std::uint32_t diaries = 0, tries = 0, accepted = 0, good = 0, refused_503 = 0, refused_429 = 0,
                other = 0, unanswered = 0, no_connection = 0;
  double p50_ms = 0, p99_ms = 0, p999_ms = 0, max_ms = 0, refused_p99_ms = 0, late_max_ms = 0;
};

struct Sample {
  double at_s = 0, server_cpu_share = -1, own_cpu_share = 0, server_rss_mib = -1;
  std::uint32_t open = 0, busy = 0, returning = 0;  ///< connections; diaries that wait to return
};

/// How it went for whole diaries, over all their tries.
struct CrowdReport {
  std::uint64_t diaries = 0, in = 0, given_up = 0, unfinished = 0, failed = 0;
  Duration last_in{};  ///< since the start
  std::uint64_t tries_of_in = 0;
  std::uint32_t tries_max = 0;                   ///< of those that are in
  std::array<std::uint64_t, 21> tries_spread{};  ///< [n]: in at the n-th try; [20]: later
};

/// How far the generator itself can be believed.
enum class Verdict : std::uint8_t { believable, late, saturated };

struct Report {
  Duration length{};  ///< from the start to the last outcome
  Duration interval{};
  std::vector<PhaseReport> phases{};
  std::vector<std::string> trial_names{};
  std::vector<IntervalReport> intervals{};
  std::vector<Sample> samples{};
  Tally total{};
  CrowdReport crowd{};
  CpuUse cpu{};
  LatencyHistogram lateness{};
  std::uint64_t late_tries = 0;  ///< later than Plan::late_beyond
  Duration late_beyond{}, good_within{}, try_timeout{};
  std::uint32_t connections = 0, connections_used_max = 0;
  std::uint64_t connections_opened = 0;
  bool closed_loop = false, stopped = false;
  std::string retry_habit{};
  double own_cpu_share_max = 0;  ///< of one core, in the busiest sample
};

/// `late`: any try was sent later than late_beyond; `saturated`: and a core was all but used up.
[[nodiscard]] Verdict verdict_of(const Report& report);
[[nodiscard]] std::string_view text_of(Verdict verdict);

/// One JSON object; the fields are described in docs/guides/surge.md.
[[nodiscard]] std::string to_json(const Report& report);

/// One self-contained HTML page with plots as inline SVG; no script, no patient's name.
[[nodiscard]] std::string to_html(const Report& report, std::string_view title);

}  // namespace vesper::surge
