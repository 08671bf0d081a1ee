#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/issue.hpp"
#include "model/journal.hpp"
#include "model/trial.hpp"

namespace vesper {

/// What a server knows when a trial document is judged.
struct PublicationRules {
  std::string_view trial_id{};                             ///< of the route; empty: any
  const std::vector<std::string>* destinations = nullptr;  ///< configured names; nullptr: any
  /// Called once for each new form before it is shared: plans are attached here.
  std::function<void(Form&)> prepare{};
};

/// What becomes of a document.
///   Shape: accepted: `trial` is complete, `issues` holds warnings only. Otherwise `trial` is empty
///   and `issues` says why: malformed 400, invalid 422, conflict 409.
struct Publication {
  enum class Verdict : std::uint8_t {
    accepted,
    malformed,
    invalid,
    conflict
  } verdict = Verdict::malformed;
  std::shared_ptr<const Trial> trial;
  Issues issues;
};

/// Judges a document as the next revision of a trial (`previous` is nullptr for a new one).
///   Errors: in the publication. A published form version is immutable, with all that its entry
///   says: its Questionnaire (compared as JSON values), fields, scores, windows and onInvalid. One
///   left out is kept.
[[nodiscard]] Publication judge_publication(const Trial* previous, std::string_view document,
                                            const PublicationRules& rules);

/// Builds a stored revision again, also when today's rules would refuse it: what was published
/// stays in force.
///   Errors: nullptr when the document cannot be read at all; faults found are put into `issues`.
[[nodiscard]] std::shared_ptr<const Trial> restore_trial(const Trial* previous, const TrialRow& row,
                                                         const PublicationRules& rules,
                                                         Issues& issues);

/// Entity tag of a revision, with its quotes. Not a signature: FNV-1a, 64 bits.
[[nodiscard]] std::string etag_of(std::string_view document, std::uint64_t revision);

/// A snapshot with one trial added or replaced; `previous` may be nullptr.
[[nodiscard]] std::shared_ptr<const TrialSnapshot> make_snapshot(
    const TrialSnapshot* previous, std::shared_ptr<const Trial> trial);
/// A snapshot of all of them at once: start-up.
[[nodiscard]] std::shared_ptr<const TrialSnapshot> make_snapshot(
    std::vector<std::shared_ptr<const Trial>> trials);

}  // namespace vesper
