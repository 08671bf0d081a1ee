#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/issue.hpp"

namespace vesper::golden {

/// What a case says, run through the real stages: compile, decode, shape, check, score, bundle.
struct Outcome {
  Issues issues;       ///< errors of any stage: there is no bundle then
  std::string bundle;  ///< exact bytes
};

/// `description` is a case file as test/golden/README.md describes it.
[[nodiscard]] Outcome run(const nlohmann::json& description);

/// The Questionnaires of a case, to be made known to validators.
[[nodiscard]] std::vector<nlohmann::json> questionnaires_of(const nlohmann::json& description);

}  // namespace vesper::golden
