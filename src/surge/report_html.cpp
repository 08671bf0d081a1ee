#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "surge/plot.hpp"
#include "surge/report.hpp"

namespace vesper::surge {
namespace {

constexpr std::string_view style = R"(<style>
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--faint:#d0d7de;
--c1:#57606a;--c2:#0550ae;--c3:#1a7f37;--c4:#bc4c00;--c5:#8250df;--c6:#cf222e}
@media (prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--faint:#30363d;
--c1:#8b949e;--c2:#79c0ff;--c3:#56d364;--c4:#ffa657;--c5:#d2a8ff;--c6:#ff7b72}}
body{background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;
max-width:960px;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--faint);
padding:.25em .5em;text-align:right;font-variant-numeric:tabular-nums}
td:first-child,th:first-child{text-align:left}figure{margin:2em 0}figcaption{font-weight:600}
svg{width:100%;height:auto}svg text{fill:var(--ink);font-size:12px}.grid{stroke:var(--faint)}
polyline{fill:none;stroke-width:1.6}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}
.c3{stroke:var(--c3)}.c4{stroke:var(--c4)}.c5{stroke:var(--c5)}.c6{stroke:var(--c6)}
.k1{color:var(--c1)}.k2{color:var(--c2)}.k3{color:var(--c3)}.k4{color:var(--c4)}
.k5{color:var(--c5)}.k6{color:var(--c6)}.doubt{border:2px solid var(--c6);padding:.5em}
</style>)";

double ms(Duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}
double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

std::string doubt(const Report& report) {
  const std::string lateness =
      fmt::format("A try was sent at most {:.1f} ms after it was due (99 % within {:.2f} ms).",
                  ms(report.lateness.max()), ms(report.lateness.percentile(0.99)));
  if (report.closed_loop)
    return "<p>Closed loop: each connection sends once it was answered, so a slow answer hides "
           "those that would have come meanwhile.</p>";
  if (verdict_of(report) == Verdict::believable)
    return fmt::format("<p>The generator was on time. {}</p>", lateness);
  return fmt::format(
      "<p class='doubt'>The generator {}: these figures say little about the server. {}</p>",
      verdict_of(report) == Verdict::saturated ? "had no CPU left" : "was late", lateness);
}

std::string phase_table(const Report& report) {
  std::string out =
      "<table><tr><th>part</th><th>due/s</th><th>in time/s</th><th>201</th><th>refused</th>"
      "<th>unanswered</th><th>no connection</th><th>p50 ms</th><th>p99 ms</th><th>p99.9 ms</th>"
      "<th>server CPU, us a 201</th></tr>";
  for (const PhaseReport& phase : report.phases) {
    const Tally& all = phase.all;
    const double length = seconds(phase.to - phase.from);
    const bool known = phase.cpu.server_s >= 0 && all.accepted != 0;
    out += fmt::format(
        "<tr><td>{:.1f} s to {:.1f} s</td><td>{:.0f}</td><td>{:.0f}</td><td>{}</td><td>{}</td>"
        "<td>{}</td><td>{}</td><td>{:.1f}</td><td>{:.1f}</td><td>{:.1f}</td><td>{}</td></tr>\n",
        seconds(phase.from), seconds(phase.to), static_cast<double>(all.tries) / length,
        static_cast<double>(all.good) / length, all.accepted, all.refused, all.timed_out + all.cut,
        all.no_connection, ms(all.accepted_latency.percentile(0.5)),
        ms(all.accepted_latency.percentile(0.99)), ms(all.accepted_latency.percentile(0.999)),
        known ? fmt::format("{:.1f}", phase.cpu.server_s * 1e6 / static_cast<double>(all.accepted))
              : "");
  }
  return out + "</table>\n";
}

using Read = double (*)(const IntervalReport&);

PlotLine line_of(const Report& report, std::string_view name, int colour, Read read, double factor,
                 bool only_with_answers = false) {
  PlotLine line{name, colour};
  for (const IntervalReport& each : report.intervals)
    line.values.push_back(only_with_answers && each.accepted == 0 ? -1 : read(each) * factor);
  return line;
}

std::string interval_plots(const Report& report) {
  std::vector<double> at;
  for (std::size_t i = 0; i < report.intervals.size(); ++i)
    at.push_back(seconds(report.interval) * static_cast<double>(i));
  const double each = 1 / seconds(report.interval);
  using I = const IntervalReport&;
  Plot rates{.title = "What was due, and what became of it", .unit = "a second", .at_s = at};
  const auto rate = [&](std::string_view name, int colour, Read read) {
    rates.lines.push_back(line_of(report, name, colour, read, each));
  };
  rate("due", 1, [](I i) { return double(i.tries); });
  rate("201", 2, [](I i) { return double(i.accepted); });
  rate("201 in time", 3, [](I i) { return double(i.good); });
  rate("503", 4, [](I i) { return double(i.refused_503); });
  rate("429", 5, [](I i) { return double(i.refused_429); });
  rate("unanswered or without a connection", 6,
       [](I i) { return double(i.unanswered + i.no_connection); });
  Plot latency{.title = "Latency of 201, from the moment the diary was due",
               .unit = "ms",
               .at_s = at,
               .logarithmic = true};
  const auto time = [&](std::string_view name, int colour, Read read) {
    latency.lines.push_back(line_of(report, name, colour, read, 1, true));
  };
  time("p50", 3, [](I i) { return i.p50_ms; });
  time("p99", 2, [](I i) { return i.p99_ms; });
  time("p99.9", 4, [](I i) { return i.p999_ms; });
  latency.lines.push_back(
      line_of(report, "lateness of the generator", 1, [](I i) { return i.late_max_ms; }, 1));
  return to_svg(rates) + to_svg(latency);
}

std::string sample_plots(const Report& report) {
  Plot connections{.title = "Connections, and diaries that wait to return", .unit = "count"};
  Plot cpu{.title = "CPU", .unit = "% of a core"};
  Plot memory{.title = "Memory of the server, resident", .unit = "MiB"};
  connections.lines = {{"open", 1}, {"busy", 2}, {"diaries to return", 4}};
  cpu.lines = {{"server", 2}, {"generator", 1}};
  memory.lines = {{"resident", 2}};
  for (const Sample& sample : report.samples) {
    for (Plot* plot : {&connections, &cpu, &memory}) plot->at_s.push_back(sample.at_s);
    connections.lines[0].values.push_back(sample.open);
    connections.lines[1].values.push_back(sample.busy);
    connections.lines[2].values.push_back(sample.returning);
    cpu.lines[0].values.push_back(sample.server_cpu_share * 100);
    cpu.lines[1].values.push_back(sample.own_cpu_share * 100);
    memory.lines[0].values.push_back(sample.server_rss_mib);
  }
  return to_svg(connections) + to_svg(cpu) +
         (report.cpu.server_s >= 0 ? to_svg(memory) : std::string{});
}

std::string crowd_part(const Report& report) {
  const CrowdReport& crowd = report.crowd;
  if (crowd.in == 0) return "<p>No diary was taken.</p>";
  std::string out = fmt::format(
      "<h2>Tries</h2><p>{} of {} diaries are in, the last one after {:.1f} s. Tries each: {:.2f} "
      "in the mean, {} at most. Given up {}, failed {}, unfinished {}.</p>"
      "<table><tr><th>in at try</th><th>diaries</th></tr>",
      crowd.in, crowd.diaries, seconds(crowd.last_in),
      static_cast<double>(crowd.tries_of_in) / static_cast<double>(crowd.in), crowd.tries_max,
      crowd.given_up, crowd.failed, crowd.unfinished);
  for (std::size_t i = 1; i < crowd.tries_spread.size(); ++i)
    if (crowd.tries_spread[i] != 0)
      out +=
          fmt::format("<tr><td>{}{}</td><td>{}</td></tr>", i,
                      i + 1 == crowd.tries_spread.size() ? " or later" : "", crowd.tries_spread[i]);
  return out + "</table>";
}

}  // namespace

std::string to_html(const Report& report, std::string_view title) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'/>"
      "<meta name='viewport' content='width=device-width'/><title>{0}</title>{1}</head><body>"
      "<h1>{0}</h1>",
      html_escaped(title), style);
  out += doubt(report);
  out += fmt::format(
      "<p>{} diaries, {} tries in {:.1f} s. In time means answered 201 within {:.0f} ms of being "
      "due. A try that found no free connection was dropped and counted, never queued. Clients "
      "that were refused: {}. Time-out of a try: {:.1f} s.</p>",
      report.total.diaries, report.total.tries, seconds(report.length), ms(report.good_within),
      report.retry_habit, seconds(report.try_timeout));
  out += phase_table(report);
  out += interval_plots(report);
  out += sample_plots(report);
  out += crowd_part(report);
  out += "</body></html>\n";
  return out;
}

}  // namespace vesper::surge
