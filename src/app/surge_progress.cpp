#include "app/surge_progress.hpp"

#include <fmt/format.h>

#include <iterator>

namespace vesper {
namespace {

double ms(Duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}
double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

std::string latency(const LatencyHistogram& values) {
  if (values.total() == 0) return "none";
  return fmt::format("p50 {:.1f} ms, p99 {:.1f} ms, p99.9 {:.1f} ms, max {:.1f} ms",
                     ms(values.percentile(0.5)), ms(values.percentile(0.99)),
                     ms(values.percentile(0.999)), ms(values.max()));
}

std::string believed(const surge::Report& report) {
  const std::string lateness =
      fmt::format("p99 {:.2f} ms, max {:.1f} ms", ms(report.lateness.percentile(0.99)),
                  ms(report.lateness.max()));
  if (report.closed_loop) return "closed loop: no due times, so latencies flatter the server";
  switch (surge::verdict_of(report)) {
    case surge::Verdict::believable:
      return "the generator was on time: lateness " + lateness;
    case surge::Verdict::late:
      return fmt::format("THE GENERATOR WAS LATE {} times by over {:.0f} ms: lateness {}",
                         report.late_tries, ms(report.late_beyond), lateness);
    case surge::Verdict::saturated:
      return fmt::format("THE GENERATOR WAS THE BOTTLENECK: {:.0f} % of a core, lateness {}",
                         report.own_cpu_share_max * 100, lateness);
  }
  return "";
}

std::string statuses(const surge::Tally& tally) {
  std::string out;
  for (std::size_t i = 0; i < tally.statuses.size(); ++i)
    if (tally.statuses[i] != 0)
      out += fmt::format(
          "{}{}: {}", out.empty() ? "" : ", ",
          surge::counted_statuses[i] == 0 ? "other" : fmt::to_string(surge::counted_statuses[i]),
          tally.statuses[i]);
  return out.empty() ? "no answer" : out;
}

}  // namespace

std::string progress_line(const surge::Progress& progress) {
  const surge::Tally& recent = progress.recent;
  std::string line = fmt::format(
      "{:4.0f} s of {:.0f}: due {:.0f}/s; 201 {}, in time {}, refused {}, unanswered {}, no "
      "connection {}, failed {}; p99 {:.1f} ms; late {:.1f} ms; connections {} of {} busy",
      seconds(progress.at), seconds(progress.length), progress.offered_per_s, recent.accepted,
      recent.good, recent.refused, recent.timed_out + recent.cut, recent.no_connection,
      recent.failed, ms(recent.accepted_latency.percentile(0.99)), ms(progress.late_max),
      progress.sample.busy, progress.sample.open);
  if (progress.sample.returning != 0)
    line += fmt::format("; {} to return", progress.sample.returning);
  if (progress.sample.server_cpu_share >= 0)
    line +=
        fmt::format("; CPU server {:.0f} %, own {:.0f} %", progress.sample.server_cpu_share * 100,
                    progress.sample.own_cpu_share * 100);
  return line;
}

std::string surge_summary(const surge::Report& report) {
  std::string out = believed(report) + "\n";
  const auto to = std::back_inserter(out);
  const surge::Tally& total = report.total;
  fmt::format_to(to, "diaries {}, tries {} in {:.1f} s; {}\n", total.diaries, total.tries,
                 seconds(report.length), statuses(total));
  fmt::format_to(to, "in time (201 within {:.0f} ms of being due): {}\n", ms(report.good_within),
                 total.good);
  fmt::format_to(to, "timed out {}, cut {}, dropped for want of a connection {}\n", total.timed_out,
                 total.cut, total.no_connection);
  fmt::format_to(to, "accepted: {}\n", latency(total.accepted_latency));
  fmt::format_to(to, "refused: {}\n", latency(total.refused_latency));
  for (const surge::PhaseReport& phase : report.phases)
    fmt::format_to(to,
                   "{:6.1f} s to {:6.1f} s, {:.0f}/s to {:.0f}/s: in time {:.0f}/s, accepted {}, "
                   "refused {}, p99 {:.1f} ms\n",
                   seconds(phase.from), seconds(phase.to), phase.from_per_s, phase.to_per_s,
                   static_cast<double>(phase.all.good) / seconds(phase.to - phase.from),
                   phase.all.accepted, phase.all.refused,
                   ms(phase.all.accepted_latency.percentile(0.99)));
  const surge::CrowdReport& crowd = report.crowd;
  if (crowd.in != 0)
    fmt::format_to(
        to, "diaries in {} of {}, the last after {:.1f} s; tries each {:.2f}, at most {}\n",
        crowd.in, crowd.diaries, seconds(crowd.last_in),
        static_cast<double>(crowd.tries_of_in) / static_cast<double>(crowd.in), crowd.tries_max);
  if (total.accepted != 0) {
    const double each = 1e6 / static_cast<double>(total.accepted);
    if (report.cpu.server_s >= 0)
      fmt::format_to(to, "CPU a diary taken: server {:.1f} us, this program {:.1f} us ({:.0f} %)\n",
                     report.cpu.server_s * each, report.cpu.own_s * each,
                     report.cpu.server_s > 0 ? 100 * report.cpu.own_s / report.cpu.server_s : 0.0);
    else
      fmt::format_to(to, "CPU a diary taken: this program {:.1f} us; --pid tells the server's\n",
                     report.cpu.own_s * each);
  }
  return out;
}

}  // namespace vesper
