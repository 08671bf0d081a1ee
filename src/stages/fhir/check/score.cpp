#include "stages/fhir/check/score.hpp"

#include "stages/fhir/check/number.hpp"
#include "stages/fhir/check/option.hpp"

namespace vesper {
namespace {

struct Found {
  const ResponseItem* item = nullptr;
  Found* next = nullptr;  // the same question, answered again in a repeating group
};

class Answers {
 public:
  Answers(const Form& form, Arena& arena)
      : form_(form), arena_(arena), first_(arena.array<Found*>(form.items.size())) {}

  void collect(std::span<const ResponseItem> items, int depth = 0) {
    if (depth > response_depth_max) return;
    for (const auto& item : items) {
      const std::uint32_t index = find_item(form_, item.link_id.reveal(), guess_);
      if (index == no_item) continue;
      guess_ = index + 1;
      if (!item.answers.empty()) {
        auto* found = arena_.array<Found>(1).data();
        *found = {&item, first_[index]};
        first_[index] = found;
      }
      collect(item.items, depth + 1);
      for (const auto& answer : item.answers) collect(answer.items, depth + 1);
    }
  }

  [[nodiscard]] const Found* of(std::uint32_t index) const { return first_[index]; }

 private:
  const Form& form_;
  Arena& arena_;
  std::span<Found*> first_;
  std::uint32_t guess_ = 0;
};

bool add_answer(const FormItem& item, const Value& value, DecimalSum& sum) {
  switch (value.kind) {
    case ValueKind::integer:
    case ValueKind::decimal:
    case ValueKind::quantity:
      if (item.options.empty()) {
        sum.add(value.text.reveal());
        return true;
      }
      break;
    default:
      break;
  }
  const auto at = find_option(item.options, {}, value);
  if (!at || !item.options[*at].score) return false;
  sum.add(*item.options[*at].score);
  return true;
}

std::optional<std::string> sum_of(const Form& form, const Score& score, const Answers& answers) {
  DecimalSum sum;
  for (const std::uint32_t index : score.items) {
    const Found* found = answers.of(index);
    if (found == nullptr) return {};
    for (; found != nullptr; found = found->next)
      for (const auto& answer : found->item->answers)
        if (!add_answer(form.items[index], answer.value, sum)) return {};
  }
  return sum.total();
}

const ScoreBand* band_of(const Score& score, std::string_view total) {
  const auto value = Decimal::parse(total);
  if (!value) return nullptr;
  for (const auto& band : score.bands) {
    const auto low = Decimal::parse(band.low), high = Decimal::parse(band.high);
    if ((band.low.empty() || (low && *low <= *value)) &&
        (band.high.empty() || (high && *value <= *high)))
      return &band;
  }
  return nullptr;
}

}  // namespace

std::span<const ScoreSum> sum_scores(const Form& form, std::span<const ResponseItem> items,
                                     Arena& arena) {
  if (form.scores.empty()) return {};
  Answers answers(form, arena);
  answers.collect(items);
  const auto sums = arena.array<ScoreSum>(form.scores.size());
  std::size_t count = 0;
  for (const auto& score : form.scores) {
    const auto total = sum_of(form, score, answers);
    if (!total || score.items.empty()) continue;
    const std::string_view digits = arena.copy(*total);
    sums[count++] = {&score, PatientText{digits}, band_of(score, digits)};
  }
  return sums.first(count);
}

}  // namespace vesper
