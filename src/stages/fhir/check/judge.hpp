#pragma once
#include <span>

#include "base/arena.hpp"
#include "model/diary.hpp"
#include "model/form.hpp"
#include "model/issue.hpp"

namespace vesper {

/// What intake and `vesper check` say of a diary: raw answers are shaped, then the response is held
/// against the form. Both use this one function, so they agree.
///   Shape:  returns the response's items, shaped or as sent; `issues` receives every fault, and
///           warnings. The diary is acceptable when no issue is_fault().
///   Bounds: a valid diary costs no allocation but the arena's.
///   Thread: pure; the form is shared by any number of shards.
[[nodiscard]] std::span<ResponseItem> judge_diary(const Form& form, const Diary& diary,
                                                  Arena& arena, Issues& issues);

/// The same for callers that want the verdict alone (`vesper check`).
///   Shape: also warns when the response names another questionnaire than the form's.
[[nodiscard]] Issues judge_response(const Form& form, const Diary& diary);

}  // namespace vesper
