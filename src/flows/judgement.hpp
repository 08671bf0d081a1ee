#pragma once
#include <expected>
#include <string_view>

#include "base/arena.hpp"
#include "flows/submission.hpp"
#include "model/journal.hpp"
#include "model/trial.hpp"

namespace vesper {

/// What becomes of a parsed diary: taken, held until somebody judges it, or refused.
struct Judgement {
  const Form* form = nullptr;  ///< nullptr: the trial knows no such form or version (held)
  Disposition disposition = Disposition::accepted;
  HeldReason held_reason = HeldReason::none;
};

/// Holds the diary against the form version that it states. Intake never refuses a diary because
/// the server no longer knows its form, nor because the trial is closed: those are held.
[[nodiscard]] std::expected<Judgement, Refusal> judge(const Diary& diary, const Trial& trial,
                                                      Arena& arena);

/// The form a diary states: id and version, or canonical|version for FHIR.
[[nodiscard]] const Form* form_of(const Diary& diary, const Trial& trial);

/// The form's names as the diary states them, for the journal; FHIR: canonical and version.
struct StatedForm {
  std::string_view id, version;
};
[[nodiscard]] StatedForm stated_form(const Diary& diary);

}  // namespace vesper
