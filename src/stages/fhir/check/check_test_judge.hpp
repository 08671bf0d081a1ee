#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "stages/fhir/check/check.hpp"
#include "stages/fhir/check/check_test_form.hpp"
#include "stages/fhir/check/plan.hpp"

namespace vesper::test {

/// Checks responses against a form made by hand and tells the faults as `path: code` lines.
class Judge {
 public:
  FormMaker make;
  ResponseMaker with;
  ResponseStatus status = ResponseStatus::completed;
  std::optional<WallTime> authored;
  Issues plan_issues, issues;

  /// The issues of a response, as `severity path code`; error severity is left out.
  std::vector<std::string> of(std::initializer_list<ResponseItem> items) {
    return of(with.items(items));
  }
  std::vector<std::string> of(std::span<const ResponseItem> items) {
    plan();
    issues.clear();
    check(make.form(), {items, status, authored, Terms::fhir}, arena, issues);
    return lines();
  }
  /// The issues of one answer to the last item added, which stands at the root.
  std::vector<std::string> of(Value value) {
    const std::string link_id = make.form().items.back().link_id;
    return of({with.question(with.arena().copy(link_id), {value})});
  }
  void plan() {
    if (make.form().check_plan == nullptr)
      make.form().check_plan = make_check_plan(make.form(), plan_issues);
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const auto& issue : issues) {
      const std::string mark = issue.severity == Severity::warning ? "warning " : "";
      out.push_back(mark + issue.expression + ": " + std::string(code_of(issue.code)));
    }
    return out;
  }
  Arena arena;
};

using Lines = std::vector<std::string>;
inline const Lines fine;

}  // namespace vesper::test
