#pragma once
#include <span>
#include <string_view>

#include "base/arena.hpp"
#include "model/diary.hpp"
#include "model/form.hpp"

namespace vesper {

/// One score of a form, summed over one response.
struct ScoreSum {
  const Score* score = nullptr;
  PatientText total;                ///< digits, exact
  const ScoreBand* band = nullptr;  ///< the first whose low and high enclose the total, if any
};

/// The scores of `form` that `items` answer completely: the sum of the ordinal values of the chosen
/// options, or of the numbers, of every question that a score names.
///   Shape:  a score with an unanswered question, an option without a value or a free text has no
///           entry; entries keep the form's order. Several answers to one question all count.
///   Bounds: 36 digits; no entry beyond.
///   Why:    exact on digits, so equal answers give equal bytes everywhere and for ever.
[[nodiscard]] std::span<const ScoreSum> sum_scores(const Form& form,
                                                   std::span<const ResponseItem> items,
                                                   Arena& arena);

}  // namespace vesper
