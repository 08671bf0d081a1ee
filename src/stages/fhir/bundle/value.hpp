#pragma once
#include <cstdint>
#include <string_view>

#include "base/arena.hpp"
#include "model/diary.hpp"
#include "model/form.hpp"
#include "stages/fhir/bundle/json_sink.hpp"
#include "stages/fhir/bundle/plan.hpp"

namespace vesper {

/// Where a value stands: its question, and the option it chooses.
struct ValuePlace {
  const FormItem& item;
  const FhirPlan::Item& plan;
  std::uint32_t option;  ///< the chosen option, no_option for none
};

/// False for what FHIR cannot say: no value, or a text without a visible character.
[[nodiscard]] bool says_something(const Value& value);

/// False for what Observation.value[x] cannot say: attachments and references.
[[nodiscard]] bool observable(const Value& value);

/// The option that a coding chooses, no_option for none. A coding without system matches by a
/// code that only one option has.
[[nodiscard]] std::uint32_t chosen_option(const FormItem& item, const FhirPlan::Item& plan,
                                          const Value& value);

/// `"valueX":...` of QuestionnaireResponse.item.answer.
void put_answer_value(JsonSink& sink, const ValuePlace& place, const Value& value);
/// `"valueX":...` of Observation.
void put_observation_value(JsonSink& sink, const ValuePlace& place, const Value& value);

/// `text` as a FHIR dateTime: a time that states no offset gets the one that decoding took from the
/// device, or loses its time of day where there is none.
[[nodiscard]] std::string_view complete_date_time(std::string_view text,
                                                  const ParsedDateTime& parsed, Arena& arena);

}  // namespace vesper
