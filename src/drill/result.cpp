#include "drill/result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/arena.hpp"
#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/wall_time.hpp"

namespace vesper::drill {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  return out + '"';
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? "," : "") + quoted(text);
  return out + "]";
}

std::string_view outcome_of(const Result& result) {
  if (!result.skipped.empty()) return "skipped";
  return result.passed() ? "passed" : "failed";
}

}  // namespace

bool Result::passed() const {
  return regressions.empty() && std::ranges::all_of(findings, &Finding::held);
}

void hold_ledger(Result& result, const LedgerVerdict& verdict) {
  const auto hold = [&](const char* promise, std::uint64_t breaches) {
    std::string measured = fmt::format("{} of {}", breaches, verdict.acknowledged);
    if (breaches > 0)
      for (const Uuid& delivery : verdict.examples) measured += " " + to_string(delivery);
    result.hold(promise, breaches == 0, std::move(measured));
  };
  result.hold("some diaries were acknowledged", verdict.acknowledged > 0,
              fmt::format("{} acknowledged, {} refused to the end, {} left open",
                          verdict.acknowledged, verdict.refused, verdict.open));
  hold("nothing acknowledged is lost", verdict.lost);
  hold("nothing takes effect twice", verdict.doubled);
  hold("each patient's diaries take effect in her order", verdict.misordered);
  hold("nothing refused takes effect", verdict.unexpected);
}

std::vector<std::string> regressions(const Result& now,
                                     const std::map<std::string, double>& before) {
  std::vector<std::string> out;
  for (const Figure& figure : now.figures) {
    const auto last = before.find(figure.name);
    if (last == before.end()) continue;
    if (figure.value > last->second * figure.ratio && figure.value > last->second + figure.slack)
      out.push_back(
          fmt::format("{} was {:.3f} and is {:.3f}", figure.name, last->second, figure.value));
  }
  return out;
}

std::string to_json(const Result& result) {
  std::string findings, figures;
  for (const Finding& finding : result.findings)
    findings +=
        fmt::format(R"({}{{"promise":{},"held":{},"measured":{}}})", findings.empty() ? "" : ",",
                    quoted(finding.promise), finding.held, quoted(finding.measured));
  for (const Figure& figure : result.figures)
    figures += fmt::format(R"({}{}:{:.3f})", figures.empty() ? "" : ",", quoted(figure.name),
                           figure.value);
  return fmt::format(
      R"({{"drill":{},"outcome":{},"began":{},"seconds":{:.1f},"seed":{},"control":{},)"
      R"("skipped":{},"findings":[{}],"figures":{{{}}},"notes":{},"compared":{},)"
      R"("regressions":{}}})",
      quoted(result.drill), quoted(outcome_of(result)), quoted(to_string(result.began)),
      result.seconds, result.seed, quoted(result.control), quoted(result.skipped), findings,
      figures, list_of(result.notes), result.compared, list_of(result.regressions));
}

std::string to_text(const Result& result) {
  std::string out = fmt::format("{}: {}", result.drill, outcome_of(result));
  if (!result.skipped.empty()) return out + ": " + result.skipped + "\n";
  out += fmt::format(", {:.0f} s, seed {}{}\n", result.seconds, result.seed,
                     result.control.empty() ? "" : ", with control " + result.control);
  for (const Finding& finding : result.findings)
    out += fmt::format("  {} {}: {}\n", finding.held ? "held  " : "BROKEN", finding.promise,
                       finding.measured);
  for (const Figure& figure : result.figures)
    out += fmt::format("  figure {} {:.3f}\n", figure.name, figure.value);
  for (const std::string& note : result.notes) out += "  note " + note + "\n";
  for (const std::string& worse : result.regressions) out += "  WORSE  " + worse + "\n";
  if (result.compared && result.regressions.empty()) out += "  no worse than the last run\n";
  return out;
}

std::expected<std::map<std::string, double>, std::string> figures_of(std::string_view kept) {
  Arena arena;
  const auto read = parse_json(kept, arena);
  const JsonValue* figures = read ? (*read)->find("figures") : nullptr;
  if (figures == nullptr || !figures->is(JsonKind::object))
    return std::unexpected("it is no report of a drill");
  std::map<std::string, double> out;
  for (const JsonValue& figure : *figures) {
    double value = 0;
    const char* end = figure.text.data() + figure.text.size();
    if (!figure.is(JsonKind::number) || std::from_chars(figure.text.data(), end, value).ptr != end)
      return std::unexpected("it is no report of a drill");
    out[std::string{figure.name}] = value;
  }
  return out;
}

}  // namespace vesper::drill
