#include <algorithm>

#include "app/commands.hpp"
#include "app/input_file.hpp"
#include "model/issue.hpp"
#include "stages/catalog/questionnaire.hpp"
#include "stages/decode/decoder.hpp"
#include "stages/fhir/check/judge.hpp"
#include "stages/fhir/check/plan.hpp"

namespace vesper {
namespace {

// Intake's own decoder and judge, so that both give the same answer.
Issues check_response(std::string_view questionnaire, std::string_view response) {
  CompiledForm compiled = compile_form(questionnaire);
  if (!compiled.usable) return std::move(compiled.issues);
  Issues rules;
  compiled.form.check_plan = make_check_plan(compiled.form, rules);
  Arena arena;
  const auto diary = Decoder{}.decode(MediaType::fhir, response, arena, Strictness::form_only);
  Issues issues = diary ? judge_response(compiled.form, *diary) : diary.error().issues;
  // The verdict is on the response; that its Questionnaire could not be published is said beside
  // it.
  for (Issue& issue : compiled.issues)
    if (is_fault(issue)) {
      issue.severity = Severity::warning;
      issues.push_back(std::move(issue));
    }
  return issues;
}

}  // namespace

ExitStatus command_check(Invocation& invocation) {
  const auto questionnaire = read_input(invocation.arguments[0]);
  const auto response = read_input(invocation.arguments[1]);
  for (const auto* input : {&questionnaire, &response})
    if (!*input) {
      invocation.err << "vesper check: " << input->error() << "\n";
      return ExitStatus::usage;
    }
  const Issues issues = check_response(*questionnaire, *response);
  invocation.out << to_operation_outcome(issues) << "\n";
  return std::ranges::any_of(issues, is_fault) ? ExitStatus::answer_is_no : ExitStatus::done;
}

}  // namespace vesper
