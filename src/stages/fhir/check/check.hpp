#pragma once
#include <optional>
#include <span>

#include "base/arena.hpp"
#include "base/time.hpp"
#include "model/diary.hpp"
#include "model/form.hpp"
#include "model/issue.hpp"
#include "stages/fhir/check/report.hpp"

namespace vesper {

/// Items and answers of one response. Why: each answer may become an Observation of a kilobyte, so
/// that a body of 1 MiB could otherwise ask for a bundle two hundred times its size.
inline constexpr std::size_t response_parts_max = 10'000;

/// One response to be checked.
struct Response {
  std::span<const ResponseItem> items;
  ResponseStatus status = ResponseStatus::completed;
  std::optional<WallTime> authored;
  Terms terms = Terms::fhir;
};

/// Holds a response against its form: structure, types, required items, enableWhen, options,
/// ranges, lengths, patterns, units, occurrences.
///   Shape:  one issue a fault, with the item's path in the sender's terms; warnings too. Below
///           `completed` a breach of cardinality only warns.
///   Bounds: at most issues_max faults are listed; response_depth_max levels are followed; past
///           response_parts_max items and answers nothing more is looked at; a valid response needs
///           no memory but the arena's.
///   Source: FHIR R4 QuestionnaireResponse, Questionnaire, and the extensions field.md lists.
void check(const Form& form, const Response& response, Arena& arena, Issues& issues);

}  // namespace vesper
