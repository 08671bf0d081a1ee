#pragma once
#include <functional>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "model/trial.hpp"
#include "stages/catalog/lint.hpp"

namespace vesper {

/// A trial document as read, with all that is wrong with it.
///   Shape: `forms` stand in the document's order, each a complete Form without plans.
struct TrialDraft {
  Trial trial;  ///< without forms, revision and etag
  std::vector<Form> forms;
  Issues issues;
};

/// Reads a trial document: every member judged, every fault with its path.
///   Source: contract.md, Trial document; docs/reference/trial.schema.json.
///   Errors: in `issues`. Unknown members are warnings: additions are welcome.
[[nodiscard]] TrialDraft read_trial(const JsonValue& document);

/// 1 to 64 of letters, digits, `.`, `_`, `-`, `~`, the first a letter or digit.
[[nodiscard]] bool is_catalog_id(std::string_view text);

/// A scheme, a colon and something after it, without blanks or controls.
[[nodiscard]] bool is_absolute_uri(std::string_view text);

// One entry of `forms`; nothing is returned when it has no questionnaire to compile.
[[nodiscard]] std::optional<Form> read_form_entry(const JsonValue& entry, std::string_view trial_id,
                                                  const std::string& path, Lint& lint);
/// A catalog id member that must be there.
[[nodiscard]] std::string read_id(const JsonValue& object, std::string_view member,
                                  const std::string& path, Lint& lint);

}  // namespace vesper
