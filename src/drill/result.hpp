#pragma once
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "drill/ledger.hpp"

namespace vesper::drill {

/// One promise, held against a run.
struct Finding {
  std::string promise;   ///< "nothing acknowledged is lost"
  std::string measured;  ///< "0 of 3210"
  bool held = false;
};

/// A number that two runs are compared by; more is worse.
///   Bounds: a regression is more than `ratio` times the last one and `slack` beyond it.
struct Figure {
  std::string name;  ///< unit last: "after_p99_ms"
  double value = 0;
  double ratio = 2, slack = 0;
};

/// A run that is over.
struct Result {
  std::string drill, summary;
  WallTime began{};
  double seconds = 0;
  std::uint64_t seed = 0;
  std::string control;  ///< the negative control that was on; empty: none
  std::string skipped;  ///< why the drill could not run; empty: it did
  std::vector<Finding> findings;
  std::vector<Figure> figures;
  std::vector<std::string> notes;
  std::vector<std::string> regressions;  ///< against the last run, one sentence each
  bool compared = false;

  void hold(std::string promise, bool held, std::string measured) {
    findings.push_back({std::move(promise), std::move(measured), held});
  }
  [[nodiscard]] bool passed() const;
};

/// The four promises that a ledger proves.
void hold_ledger(Result& result, const LedgerVerdict& verdict);

/// What got worse since a run whose figures were these.
[[nodiscard]] std::vector<std::string> regressions(const Result& now,
                                                   const std::map<std::string, double>& before);

[[nodiscard]] std::string to_json(const Result& result);
/// A few lines for a terminal.
[[nodiscard]] std::string to_text(const Result& result);
/// The figures of a run kept by to_json().
///   Errors: a sentence; the text is not such a run.
[[nodiscard]] std::expected<std::map<std::string, double>, std::string> figures_of(
    std::string_view kept);

}  // namespace vesper::drill
