#include "app/trial_file.hpp"

#include "stages/catalog/publication.hpp"
#include "stages/fhir/bundle/plan.hpp"
#include "stages/fhir/check/plan.hpp"

namespace vesper {

TrialFile read_trial_file(std::string_view document) {
  TrialFile out;
  Issues rules;
  Publication publication = judge_publication(nullptr, document, {.prepare = [&rules](Form& form) {
                                                form.check_plan = make_check_plan(form, rules);
                                                form.plan = make_plan(form);
                                              }});
  out.issues = std::move(publication.issues);
  if (publication.verdict == Publication::Verdict::accepted) out.trial = publication.trial;
  return out;
}

}  // namespace vesper
