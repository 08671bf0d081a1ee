#pragma once
#include <expected>
#include <memory>
#include <string_view>

#include "model/issue.hpp"
#include "model/trial.hpp"

namespace vesper {

/// A trial document judged as a new publication would be, ready to judge diaries by.
struct TrialFile {
  std::shared_ptr<const Trial> trial;  ///< nullptr: refused
  Issues issues;                       ///< why, or warnings
};

/// Destinations may have any name, as no configuration is at hand.
[[nodiscard]] TrialFile read_trial_file(std::string_view document);

}  // namespace vesper
