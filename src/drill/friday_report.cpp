// The evening as text, JSON and one page with plots.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/encoding.hpp"
#include "base/wall_time.hpp"
#include "drill/chart.hpp"
#include "drill/friday_night.hpp"

namespace vesper::drill {
namespace {

constexpr std::array<std::string_view, 2> colours{"#c2410c", "#0f766e"};

double as_double(std::uint64_t count) {
  return static_cast<double>(count);
}
double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}
double ms(Duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  return out + '"';
}

std::string setting_of(const FridayOptions& options) {
  return fmt::format(
      "{:g} diaries/s for {:g} s; then {:g} times as much for {:g} s while the data platform slows "
      "from 20 ms to 10 s an answer; then {:g} diaries/s for {:g} s with the platform healed. Both "
      "services may have {} descriptors and {} MiB of data. Clients wait 5 s for an answer and "
      "return when told.",
      options.rate_per_s, seconds(options.baseline), options.times, seconds(options.peak),
      options.rate_per_s, seconds(options.after), options.limits.descriptors_max,
      options.limits.memory_max_mib);
}

/// A row of the table of totals: a name, and what a side has there.
struct Row {
  std::string_view name, key;
  double (*value)(const FridaySide&);
};

double phase_p99(const FridaySide& side, std::size_t phase) {
  return ms(side.report.phases[phase].all.accepted_latency.percentile(0.99));
}

constexpr Row rows[] = {
    {"diaries due", "diaries",
     [](const FridaySide& s) { return as_double(s.report.crowd.diaries); }},
    {"acknowledged (201)", "acknowledged",
     [](const FridaySide& s) { return as_double(s.verdict.acknowledged); }},
    {"acknowledged, and never at the data platform", "acknowledged_lost",
     [](const FridaySide& s) { return as_double(s.verdict.lost); }},
    {"took effect twice", "doubled",
     [](const FridaySide& s) { return as_double(s.verdict.doubled); }},
    {"in the wrong order for a patient", "misordered",
     [](const FridaySide& s) { return as_double(s.verdict.misordered); }},
    {"tries refused, to come back", "refused",
     [](const FridaySide& s) { return as_double(s.report.total.refused); }},
    {"tries without an answer (time-out, cut)", "unanswered",
     [](const FridaySide& s) { return as_double(s.report.total.timed_out + s.report.total.cut); }},
    {"p99 of accepted before, ms", "baseline_p99_ms",
     [](const FridaySide& s) { return phase_p99(s, 0); }},
    {"p99 of accepted in the peak, ms", "peak_p99_ms",
     [](const FridaySide& s) { return phase_p99(s, 1); }},
    {"p99 of accepted after, ms", "after_p99_ms",
     [](const FridaySide& s) { return phase_p99(s, 2); }},
    {"accepted within 100 ms in the peak, per s", "peak_goodput_per_s",
     [](const FridaySide& s) {
       return static_cast<double>(s.report.phases[1].all.good) /
              seconds(s.report.phases[1].to - s.report.phases[1].from);
     }},
    {"most live tasks", "tasks_max", [](const FridaySide& s) { return s.tasks_max; }},
    {"most memory, MiB", "memory_max_mib", [](const FridaySide& s) { return s.memory_max_mib; }},
    {"most descriptors", "descriptors_max",
     [](const FridaySide& s) { return as_double(s.descriptors_max); }},
    {"most undelivered diaries", "undelivered_max",
     [](const FridaySide& s) { return s.undelivered_max; }},
    {"server CPU per accepted diary, us", "cpu_us_per_accepted",
     [](const FridaySide& s) { return s.cpu_us_per_accepted; }},
};

template <class Value>
Line over_moments(const FridaySide& side, std::string name, std::string_view colour, Value value) {
  Line line{std::move(name), std::string{colour}};
  for (const Moment& moment : side.moments)
    if (const double y = value(moment); moment.at_s >= 0 && moment.alive && y >= 0)
      line.points.emplace_back(moment.at_s, y);
  return line;
}

template <class Value>
Line over_intervals(const FridaySide& side, std::string name, std::string_view colour,
                    Value value) {
  Line line{std::move(name), std::string{colour}};
  const double step = seconds(side.report.interval);
  for (std::size_t i = 0; i < side.report.intervals.size(); ++i)
    line.points.emplace_back(static_cast<double>(i) * step, value(side.report.intervals[i], step));
  return line;
}

std::vector<std::pair<double, std::string>> marks_of(const FridayOptions& options) {
  const double peak = seconds(options.baseline);
  return {{peak, fmt::format("{:g}x", options.times)}, {peak + seconds(options.peak), "healed"}};
}

// First what shows the fault, then what hides it.
std::string plots_of(const FridayNight& night) {
  Chart tasks{"Live tasks", ""}, memory{"Memory", "MiB"}, undelivered{"Undelivered diaries", ""},
      latency{"p99 of accepted", "ms", {}, true}, descriptors{"Descriptors", ""},
      goodput{"Accepted within 100 ms", "per s"}, refused{"Refused (503, 429)", "per s"},
      unanswered{"Tries without an answer", "per s"};
  for (std::size_t i = 0; i < night.sides.size(); ++i) {
    const FridaySide& side = night.sides[i];
    const auto colour = colours[(i + colours.size() - night.sides.size()) % colours.size()];
    const auto add = [&](Chart& chart, auto value) {
      chart.lines.push_back(over_moments(side, side.name, colour, value));
    };
    const auto count = [&](Chart& chart, auto value) {
      chart.lines.push_back(over_intervals(side, side.name, colour, value));
    };
    using Interval = surge::IntervalReport;
    add(tasks, [](const Moment& m) { return m.tasks; });
    add(memory, [](const Moment& m) { return m.process.memory_mib; });
    add(undelivered, [](const Moment& m) { return m.acknowledged - m.effects; });
    add(descriptors, [](const Moment& m) { return as_double(m.process.descriptors); });
    count(latency, [](const Interval& v, double) { return v.p99_ms; });
    count(goodput, [](const Interval& v, double step) { return v.good / step; });
    count(refused,
          [](const Interval& v, double step) { return (v.refused_503 + v.refused_429) / step; });
    count(unanswered, [](const Interval& v, double step) { return v.unanswered / step; });
  }
  std::string out = "<h2>What shows the fault, and what hides it</h2>";
  for (Chart* chart : {&tasks, &memory, &undelivered, &latency}) {
    chart->marks = marks_of(night.options);
    out += svg_of(*chart);
  }
  out += "<h2>What the patients saw, and what ran out</h2>";
  for (Chart* chart : {&goodput, &refused, &unanswered, &descriptors}) {
    chart->marks = marks_of(night.options);
    out += svg_of(*chart);
  }
  return out;
}

std::string percentiles_of(const FridayNight& night) {
  std::string out = "<h2>Latency of the accepted over time</h2>";
  for (const FridaySide& side : night.sides) {
    using Interval = surge::IntervalReport;
    Chart chart{side.name, "ms", {}, true, marks_of(night.options)};
    chart.lines = {
        over_intervals(side, "p50", "#0f766e", [](const Interval& v, double) { return v.p50_ms; }),
        over_intervals(side, "p99", "#b45309", [](const Interval& v, double) { return v.p99_ms; }),
        over_intervals(side, "p99.9", "#9f1239",
                       [](const Interval& v, double) { return v.p999_ms; })};
    out += svg_of(chart);
  }
  return out;
}

std::string series_of(const FridaySide& side) {
  std::string out;
  for (const Moment& m : side.moments)
    out += fmt::format(R"({}[{:.2f},{:.0f},{:.1f},{:.0f},{},{:.2f}])", out.empty() ? "" : ",",
                       m.at_s, m.tasks, m.process.memory_mib, m.acknowledged - m.effects,
                       m.process.descriptors, m.process.cpu_s);
  return out;
}

}  // namespace

std::string to_json(const FridayNight& night) {
  std::string sides;
  for (const FridaySide& side : night.sides) {
    sides += fmt::format(R"({}{{"name":{},"ended":{},"generator":{})", sides.empty() ? "" : ",",
                         json_text(side.name), json_text(side.ended),
                         json_text(surge::text_of(surge::verdict_of(side.report))));
    for (const Row& row : rows) sides += fmt::format(R"(,"{}":{:.3f})", row.key, row.value(side));
    sides += fmt::format(
        R"(,"moments":{{"columns":["at_s","tasks","memory_mib","undelivered","descriptors",)"
        R"("cpu_s"],)"
        R"("rows":[{}]}},"load":{}}})",
        series_of(side), surge::to_json(side.report));
  }
  std::string notes;
  for (const std::string& note : night.notes) notes += (notes.empty() ? "" : ",") + json_text(note);
  return fmt::format(
      R"({{"drill":"friday-night","began":{},"setting":{},"held":{},"notes":[{}],"sides":[{}]}})",
      json_text(to_string(night.began)), json_text(setting_of(night.options)), vesper_held(night),
      notes, sides);
}

std::string to_text(const FridayNight& night) {
  std::string out = "friday-night: " + setting_of(night.options) + "\n";
  for (const std::string& note : night.notes) out += "  note " + note + "\n";
  out += fmt::format("  {:<46}", "");
  for (const FridaySide& side : night.sides) out += fmt::format("{:>12}", side.name);
  for (const Row& row : rows) {
    out += fmt::format("\n  {:<46}", row.name);
    for (const FridaySide& side : night.sides) out += fmt::format("{:>12.1f}", row.value(side));
  }
  for (const FridaySide& side : night.sides)
    out += fmt::format("\n  {}: {}; the generator was {}", side.name, side.ended,
                       surge::text_of(surge::verdict_of(side.report)));
  return out + fmt::format("\n  vesper {} its promises\n", vesper_held(night) ? "kept" : "BROKE");
}

std::string to_html(const FridayNight& night) {
  std::string table = "<table><tr><th></th>";
  for (const FridaySide& side : night.sides)
    table += fmt::format("<th>{}</th>", escaped_html(side.name));
  for (const Row& row : rows) {
    table += fmt::format("</tr><tr><td>{}</td>", escaped_html(row.name));
    for (const FridaySide& side : night.sides)
      table += fmt::format("<td class=\"n\">{:.1f}</td>", row.value(side));
  }
  table += "</tr><tr><td>how it ended</td>";
  for (const FridaySide& side : night.sides)
    table += fmt::format("<td>{}</td>", escaped_html(side.ended));
  std::string notes;
  for (const std::string& note : night.notes) notes += fmt::format("<p>{}</p>", escaped_html(note));
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Friday night</title>"
      "<style>body{{font:15px/1.5 sans-serif;max-width:1180px;margin:2em auto;padding:0 1em}}"
      "table{{border-collapse:collapse}}td,th{{padding:2px 12px;border-bottom:1px solid #ddd;"
      "text-align:left}}.n{{text-align:right}}svg{{margin:4px}}svg text{{font:11px sans-serif}}"
      ".t{{font-weight:bold}}.g{{stroke:#e5e5e5}}.m{{stroke:#999;stroke-dasharray:3 3}}"
      ".w{{fill:#666}}</style></head><body><h1>Friday night</h1><p>{}</p><p>Begun {}.</p>{}{}{}"
      "</tr></table>{}</body></html>\n",
      escaped_html(setting_of(night.options)), to_string(night.began), notes, plots_of(night),
      table, percentiles_of(night));
}

}  // namespace vesper::drill
