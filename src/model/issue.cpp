#include "model/issue.hpp"

#include <utility>

#include "base/encoding.hpp"

namespace vesper {

std::string_view code_of(Severity severity) {
  switch (severity) {
    case Severity::fatal:
      return "fatal";
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::information:
      return "information";
  }
  std::unreachable();
}

std::string_view code_of(IssueCode code) {
  switch (code) {
    case IssueCode::invalid:
      return "invalid";
    case IssueCode::structure:
      return "structure";
    case IssueCode::required:
      return "required";
    case IssueCode::value:
      return "value";
    case IssueCode::invariant:
      return "invariant";
    case IssueCode::security:
      return "security";
    case IssueCode::login:
      return "login";
    case IssueCode::forbidden:
      return "forbidden";
    case IssueCode::not_supported:
      return "not-supported";
    case IssueCode::duplicate:
      return "duplicate";
    case IssueCode::not_found:
      return "not-found";
    case IssueCode::too_long:
      return "too-long";
    case IssueCode::code_invalid:
      return "code-invalid";
    case IssueCode::conflict:
      return "conflict";
    case IssueCode::transient:
      return "transient";
    case IssueCode::throttled:
      return "throttled";
    case IssueCode::timeout:
      return "timeout";
    case IssueCode::no_store:
      return "no-store";
    case IssueCode::exception:
      return "exception";
    case IssueCode::informational:
      return "informational";
    case IssueCode::processing:
      return "processing";
  }
  std::unreachable();
}

namespace {

void append_issue(std::string& out, const Issue& issue) {
  out += R"({"severity":")";
  out += code_of(issue.severity);
  out += R"(","code":")";
  out += code_of(issue.code);
  out += '"';
  if (issue.kind != IssueKind::none) {
    out += R"(,"details":{"coding":[{"system":"urn:vesper:issue","code":")";
    out += issue.kind == IssueKind::form ? "form" : "conflict";
    out += R"("}]})";
  }
  if (!issue.diagnostics.empty()) {
    out += R"(,"diagnostics":")";
    append_json_escaped(out, issue.diagnostics);
    out += '"';
  }
  if (!issue.expression.empty()) {
    out += R"(,"expression":[")";
    append_json_escaped(out, issue.expression);
    out += "\"]";
  }
  out += '}';
}

}  // namespace

std::string to_operation_outcome(const Issues& issues) {
  std::string out = R"({"resourceType":"OperationOutcome","issue":[)";
  if (issues.empty())
    append_issue(out,
                 {Severity::information, IssueCode::informational, IssueKind::none, "All OK", {}});
  bool first = true;
  for (const auto& issue : issues) {
    if (!std::exchange(first, false)) out += ',';
    append_issue(out, issue);
  }
  out += "]}";
  return out;
}

}  // namespace vesper
