#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace vesper {

/// FHIR issue-severity.
enum class Severity : unsigned char { fatal, error, warning, information };

/// The codes of FHIR issue-type that this server uses.
enum class IssueCode : unsigned char {
  invalid,
  structure,
  required,
  value,
  invariant,
  security,
  login,
  forbidden,
  not_supported,
  duplicate,
  not_found,
  too_long,
  code_invalid,
  conflict,
  transient,
  throttled,
  timeout,
  no_store,
  exception,
  informational,
  processing
};

/// Whether a 422 is about the form or about a known id with other bytes (`details.coding`).
enum class IssueKind : unsigned char { none, form, conflict };

/// One fault in the sender's terms; becomes one OperationOutcome.issue.
///   Shape: `diagnostics` may name fields, linkIds, limits and offsets, never an answer's content:
///   issues are also counted and logged by code. `expression` is the item path, e.g.
///   `QuestionnaireResponse.item[2].answer[0]` or `answers.pain-nrs`.
struct Issue {
  Severity severity = Severity::error;
  IssueCode code = IssueCode::invalid;
  IssueKind kind = IssueKind::none;
  std::string diagnostics;
  std::string expression;
};

using Issues = std::vector<Issue>;

[[nodiscard]] constexpr bool is_fault(const Issue& issue) {
  return issue.severity == Severity::fatal || issue.severity == Severity::error;
}
[[nodiscard]] std::string_view code_of(Severity severity);
[[nodiscard]] std::string_view code_of(IssueCode code);

/// The OperationOutcome resource as JSON; an empty list becomes one `informational` "All OK" issue,
/// because the resource must have at least one.
[[nodiscard]] std::string to_operation_outcome(const Issues& issues);

}  // namespace vesper
