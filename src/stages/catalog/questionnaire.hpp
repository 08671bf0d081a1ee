#pragma once
#include <string_view>

#include "base/json.hpp"
#include "model/form.hpp"
#include "model/issue.hpp"

namespace vesper {

/// A Questionnaire as a Form, with all that is wrong with it.
///   Shape: `issues` holds errors (publishing refuses) and warnings. The form is as complete as the
///   Questionnaire can be read, so that drafts can be judged by: only `usable` == false means that
///   there is nothing to judge by.
struct CompiledForm {
  Form form;  ///< id and url as the Questionnaire has them; plans, fields and scores are not set
  Issues issues;
  bool usable = false;
};

/// Compiles a FHIR R4 Questionnaire: items, value sets, extensions, and the invariants que-1 to
/// que-13, each with its number in the message.
///   Errors: in `issues`; paths begin with `path`.
///   Source: FHIR R4 4.0.1 Questionnaire; que-12 by its text ("more than one"), not by its
///   expression (which says more than two).
[[nodiscard]] CompiledForm compile_form(const JsonValue& questionnaire, const std::string& path);
/// The same from JSON text, with paths from `Questionnaire`.
[[nodiscard]] CompiledForm compile_form(std::string_view questionnaire_json);

}  // namespace vesper
