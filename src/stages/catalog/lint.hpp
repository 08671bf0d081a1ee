#pragma once
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "model/form.hpp"
#include "model/issue.hpp"

namespace vesper {

/// Collects what is wrong with a trial document or a Questionnaire, with paths such as
/// `forms[0].questionnaire.item[2].enableWhen[0].question`.
///   Bounds: 200 issues, then one that says there are more.
class Lint {
 public:
  void error(IssueCode code, std::string path, std::string text) {
    add(Severity::error, code, std::move(path), std::move(text));
  }
  void warn(std::string path, std::string text) {
    add(Severity::warning, IssueCode::informational, std::move(path), std::move(text));
  }
  void add_issue(Issue issue) {
    add(issue.severity, issue.code, std::move(issue.expression), std::move(issue.diagnostics));
  }
  /// The member when it is there and of that kind; an issue and nullptr when it is of another.
  const JsonValue* take(const JsonValue& object, std::string_view member, JsonKind kind,
                        const std::string& path);
  /// Text of a string member; empty when it is absent or wrong (then with an issue).
  std::string text(const JsonValue& object, std::string_view member, const std::string& path);
  bool flag(const JsonValue& object, std::string_view member, const std::string& path);
  /// A string member that must be there and hold something.
  std::string required_text(const JsonValue& object, std::string_view member,
                            const std::string& path);
  /// Warns about each member that is not among `known`; `_x` companions of primitives pass.
  void warn_unknown(const JsonValue& object, std::span<const std::string_view> known,
                    const std::string& path);
  void warn_unknown(const JsonValue& object, std::initializer_list<std::string_view> known,
                    const std::string& path) {
    warn_unknown(object, std::span{known.begin(), known.size()}, path);
  }
  [[nodiscard]] Issues take_issues() { return std::move(issues_); }

 private:
  void add(Severity severity, IssueCode code, std::string path, std::string text);
  Issues issues_;
};

[[nodiscard]] std::string path_to(const std::string& parent, std::string_view member);
[[nodiscard]] std::string path_to(const std::string& parent, std::string_view list,
                                  std::size_t index);
/// An unsigned whole number from its digits; nothing when it is none or too large.
[[nodiscard]] std::optional<std::uint32_t> whole_number(std::string_view digits);
[[nodiscard]] Coding read_coding(const JsonValue& object);

}  // namespace vesper
