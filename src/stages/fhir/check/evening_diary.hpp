#pragma once
#include <string>

#include "stages/fhir/check/check_test_form.hpp"
#include "stages/fhir/check/plan.hpp"

namespace vesper::test {

/// The diary that every figure is measured with: 13 coded numeric answers and a note, raw.
class EveningDiary {
 public:
  EveningDiary() {
    make_.add("evening", ItemType::group);
    for (int i = 1; i <= 13; ++i) {
      auto& item = make_.add("symptom-" + std::to_string(i),
                             i % 2 == 0 ? ItemType::choice : ItemType::integer, 0);
      item.required = true;
      if (item.type == ItemType::choice)
        for (int option = 0; option <= 4; ++option)
          item.options.push_back(coded("grade-" + std::to_string(option), std::to_string(option)));
      else {
        item.min_value = {ItemType::integer, "0", {}};
        item.max_value = {ItemType::integer, "10", {}};
      }
    }
    auto& note = make_.add("note", ItemType::text, 0);
    note.max_length = 500;
    EnableWhen when;
    when.question = 1;
    when.op = EnableWhen::Operator::greater_equal;
    when.answer_type = ItemType::integer;
    when.text = "1";
    note.enable_when = {when};
    Issues ignored;
    make_.form().check_plan = make_check_plan(make_.form(), ignored);
    answers_ = arena_.array<RawAnswer>(14);
    for (std::size_t i = 0; i < 14; ++i) {
      answers_[i].field = make_.form().items[i + 1].link_id;
      answers_[i].values = arena_.array<Value>(1);
      const bool number = make_.form().items[i + 1].type == ItemType::integer;
      answers_[i].values[0] =
          number ? value_of(ValueKind::raw_number, "4") : value_of(ValueKind::raw_text, "grade-3");
    }
    answers_[13].values[0] = value_of(
        ValueKind::raw_text, "Slept badly again, woke up twice, took half a tablet at three.");
    diary_.raw = answers_;
  }
  [[nodiscard]] const Form& form() { return make_.form(); }
  [[nodiscard]] const Diary& diary() const { return diary_; }
  RawAnswer& answer(std::size_t i) { return answers_[i]; }

 private:
  FormMaker make_;
  Arena arena_;
  std::span<RawAnswer> answers_;
  Diary diary_;
};

}  // namespace vesper::test
