#include "flows/judgement.hpp"

#include <algorithm>

#include "stages/fhir/check/judge.hpp"

namespace vesper {

StatedForm stated_form(const Diary& diary) {
  if (!diary.is_fhir) return {diary.form_id, diary.form_version};
  const std::size_t bar = diary.questionnaire.rfind('|');
  if (bar == std::string_view::npos) return {diary.questionnaire, {}};
  return {diary.questionnaire.substr(0, bar), diary.questionnaire.substr(bar + 1)};
}

const Form* form_of(const Diary& diary, const Trial& trial) {
  const StatedForm stated = stated_form(diary);
  return diary.is_fhir ? trial.find_canonical(stated.id, stated.version)
                       : trial.find(stated.id, stated.version);
}

std::expected<Judgement, Refusal> judge(const Diary& diary, const Trial& trial, Arena& arena) {
  Judgement judgement{form_of(diary, trial), Disposition::accepted, HeldReason::none};
  const auto hold = [&](HeldReason reason) {
    judgement.disposition = Disposition::held;
    judgement.held_reason = reason;
    return judgement;
  };
  if (judgement.form == nullptr) return hold(HeldReason::form_unknown);

  Issues issues;
  (void)judge_diary(*judgement.form, diary, arena, issues);
  if (std::ranges::any_of(issues, is_fault)) {
    if (judgement.form->on_invalid == OnInvalid::hold) return hold(HeldReason::form_invalid);
    return std::unexpected{Refusal{422, std::move(issues)}};
  }
  if (trial.status == TrialStatus::closed) return hold(HeldReason::trial_closed);
  return judgement;
}

}  // namespace vesper
