#include "stages/fhir/check/judge.hpp"

#include "stages/fhir/check/check.hpp"
#include "stages/fhir/check/shape.hpp"

namespace vesper {

std::span<ResponseItem> judge_diary(const Form& form, const Diary& diary, Arena& arena,
                                    Issues& issues) {
  const auto items = diary.is_fhir ? diary.items : shape(form, diary, arena, issues);
  Response response{items, diary.status, {}, diary.is_fhir ? Terms::fhir : Terms::raw};
  if (!diary.authored_text.empty()) response.authored = diary.authored.utc;
  check(form, response, arena, issues);
  return items;
}

Issues judge_response(const Form& form, const Diary& diary) {
  Arena arena;
  Issues issues;
  const auto url = diary.questionnaire.substr(0, diary.questionnaire.find('|'));
  if (diary.is_fhir && !url.empty() && url != form.url)
    issues.push_back({Severity::warning, IssueCode::value, IssueKind::none,
                      "the response names another questionnaire than the one given",
                      "QuestionnaireResponse.questionnaire"});
  (void)judge_diary(form, diary, arena, issues);
  return issues;
}

}  // namespace vesper
