#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/encoding.hpp"
#include "surge/report.hpp"

namespace vesper::surge {
namespace {

using Out = std::back_insert_iterator<std::string>;

double ms(Duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}
double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

void write_latency(Out out, std::string_view name, const LatencyHistogram& latency) {
  fmt::format_to(out,
                 R"("{}":{{"count":{},"p50_ms":{:.3f},"p90_ms":{:.3f},"p99_ms":{:.3f},)"
                 R"("p999_ms":{:.3f},"max_ms":{:.3f}}})",
                 name, latency.total(), ms(latency.percentile(0.5)), ms(latency.percentile(0.9)),
                 ms(latency.percentile(0.99)), ms(latency.percentile(0.999)), ms(latency.max()));
}

// The members of a tally, without braces; rates over `length`.
void write_tally(Out out, const Tally& tally, Duration length) {
  const double s = seconds(length);
  const auto rate = [s](std::uint64_t n) { return s > 0 ? static_cast<double>(n) / s : 0; };
  fmt::format_to(out,
                 R"("diaries":{},"tries":{},"accepted":{},"good":{},"refused":{},"failed":{},)"
                 R"("timed_out":{},"cut":{},"no_connection":{},"offered_per_s":{:.1f},)"
                 R"("accepted_per_s":{:.1f},"good_per_s":{:.1f},"status":{{)",
                 tally.diaries, tally.tries, tally.accepted, tally.good, tally.refused,
                 tally.failed, tally.timed_out, tally.cut, tally.no_connection, rate(tally.tries),
                 rate(tally.accepted), rate(tally.good));
  bool first = true;
  for (std::size_t i = 0; i < tally.statuses.size(); ++i) {
    if (tally.statuses[i] == 0) continue;
    fmt::format_to(out, R"({}"{}":{})", std::exchange(first, false) ? "" : ",",
                   counted_statuses[i] == 0 ? "other" : fmt::to_string(counted_statuses[i]),
                   tally.statuses[i]);
  }
  fmt::format_to(out, "}},");
  write_latency(out, "accepted_latency", tally.accepted_latency);
  fmt::format_to(out, ",");
  write_latency(out, "refused_latency", tally.refused_latency);
}

std::string number_or_null(double value, int digits) {
  return value < 0 ? "null" : fmt::format("{:.{}f}", value, digits);
}

// Server time is told a try that it answered, and a diary that it took.
void write_cpu(Out out, const CpuUse& cpu, const Tally& tally) {
  const std::uint64_t answered = tally.accepted + tally.refused + tally.failed;
  const auto each = [](double s, std::uint64_t n) {
    return s < 0 || n == 0 ? -1 : s * 1e6 / static_cast<double>(n);
  };
  fmt::format_to(out,
                 R"("cpu":{{"server_s":{},"own_s":{:.3f},"server_us_per_accepted":{},)"
                 R"("own_us_per_accepted":{},"server_us_per_answer":{},"own_us_per_try":{}}})",
                 number_or_null(cpu.server_s, 3), cpu.own_s,
                 number_or_null(each(cpu.server_s, tally.accepted), 2),
                 number_or_null(each(cpu.own_s, tally.accepted), 2),
                 number_or_null(each(cpu.server_s, answered), 2),
                 number_or_null(each(cpu.own_s, tally.tries), 2));
}

void write_phases(Out out, const Report& report) {
  fmt::format_to(out, R"("phases":[)");
  for (const PhaseReport& phase : report.phases) {
    fmt::format_to(out,
                   R"({}{{"from_s":{:.3f},"to_s":{:.3f},"from_per_s":{:.1f},"to_per_s":{:.1f},)",
                   &phase == report.phases.data() ? "" : ",", seconds(phase.from),
                   seconds(phase.to), phase.from_per_s, phase.to_per_s);
    write_tally(out, phase.all, phase.to - phase.from);
    fmt::format_to(out, ",");
    write_cpu(out, phase.cpu, phase.all);
    fmt::format_to(out, R"(,"first_second":{{)");
    write_tally(out, phase.first_second, std::min<Duration>(1s, phase.to - phase.from));
    fmt::format_to(out, R"(}},"trials":{{)");
    for (std::size_t i = 0; i < phase.trials.size(); ++i) {
      std::string name;
      append_json_escaped(name, report.trial_names[i]);
      fmt::format_to(out, R"({}"{}":{{)", i == 0 ? "" : ",", name);
      write_tally(out, phase.trials[i], phase.to - phase.from);
      fmt::format_to(out, "}}");
    }
    fmt::format_to(out, "}}}}");
  }
  fmt::format_to(out, "]");
}

void write_intervals(Out out, const Report& report) {
  fmt::format_to(out, R"("interval_ms":{:.0f},"intervals":[)", ms(report.interval));
  for (std::size_t i = 0; i < report.intervals.size(); ++i) {
    const IntervalReport& each = report.intervals[i];
    fmt::format_to(
        out,
        R"({}{{"from_s":{:.1f},"diaries":{},"tries":{},"accepted":{},"good":{},"refused_503":{},)"
        R"("refused_429":{},"other":{},"unanswered":{},"no_connection":{},"p50_ms":{:.3f},)"
        R"("p99_ms":{:.3f},"p999_ms":{:.3f},"max_ms":{:.3f},"refused_p99_ms":{:.3f},)"
        R"("late_max_ms":{:.3f}}})",
        i == 0 ? "" : ",", seconds(report.interval) * static_cast<double>(i), each.diaries,
        each.tries, each.accepted, each.good, each.refused_503, each.refused_429, each.other,
        each.unanswered, each.no_connection, each.p50_ms, each.p99_ms, each.p999_ms, each.max_ms,
        each.refused_p99_ms, each.late_max_ms);
  }
  fmt::format_to(out, "]");
}

void write_samples(Out out, const Report& report) {
  fmt::format_to(out, R"("samples":[)");
  for (const Sample& sample : report.samples)
    fmt::format_to(out,
                   R"({}{{"at_s":{:.3f},"server_cpu":{},"own_cpu":{:.3f},"server_rss_mib":{},)"
                   R"("open":{},"busy":{},"returning":{}}})",
                   &sample == report.samples.data() ? "" : ",", sample.at_s,
                   number_or_null(sample.server_cpu_share, 3), sample.own_cpu_share,
                   number_or_null(sample.server_rss_mib, 1), sample.open, sample.busy,
                   sample.returning);
  fmt::format_to(out, "]");
}

void write_crowd(Out out, const CrowdReport& crowd) {
  const double mean =
      crowd.in == 0 ? 0 : static_cast<double>(crowd.tries_of_in) / static_cast<double>(crowd.in);
  fmt::format_to(out,
                 R"("crowd":{{"diaries":{},"in":{},"given_up":{},"failed":{},"unfinished":{},)"
                 R"("last_in_s":{:.3f},"tries_mean":{:.3f},"tries_max":{},"tries":[)",
                 crowd.diaries, crowd.in, crowd.given_up, crowd.failed, crowd.unfinished,
                 seconds(crowd.last_in), mean, crowd.tries_max);
  for (std::size_t i = 1; i < crowd.tries_spread.size(); ++i)
    fmt::format_to(out, "{}{}", i == 1 ? "" : ",", crowd.tries_spread[i]);
  fmt::format_to(out, "]}}");
}

void write_generator(Out out, const Report& report) {
  fmt::format_to(out,
                 R"("generator":{{"verdict":"{}","late_p99_ms":{:.3f},"late_max_ms":{:.3f},)"
                 R"("late_tries":{},"late_beyond_ms":{:.0f},"cpu_share_max":{:.3f},)"
                 R"("connections":{},"connections_used_max":{},"connections_opened":{}}})",
                 text_of(verdict_of(report)), ms(report.lateness.percentile(0.99)),
                 ms(report.lateness.max()), report.late_tries, ms(report.late_beyond),
                 report.own_cpu_share_max, report.connections, report.connections_used_max,
                 report.connections_opened);
}

}  // namespace

std::string to_json(const Report& report) {
  std::string text;
  const Out out = std::back_inserter(text);
  fmt::format_to(out,
                 R"({{"length_s":{:.3f},"loop":"{}","retry":"{}","try_timeout_ms":{:.0f},)"
                 R"("good_within_ms":{:.0f},"stopped":{},)",
                 seconds(report.length), report.closed_loop ? "closed" : "open", report.retry_habit,
                 ms(report.try_timeout), ms(report.good_within), report.stopped);
  write_generator(out, report);
  fmt::format_to(out, R"(,"total":{{)");
  write_tally(out, report.total, report.length);
  fmt::format_to(out, "}},");
  write_cpu(out, report.cpu, report.total);
  fmt::format_to(out, ",");
  write_crowd(out, report.crowd);
  fmt::format_to(out, ",");
  write_phases(out, report);
  fmt::format_to(out, ",");
  write_intervals(out, report);
  fmt::format_to(out, ",");
  write_samples(out, report);
  text += "}";
  return text;
}

}  // namespace vesper::surge
