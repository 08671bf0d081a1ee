#include <algorithm>

#include "stages/fhir/bundle/draft.hpp"
#include "stages/fhir/bundle/ids.hpp"
#include "stages/fhir/bundle/value.hpp"

namespace vesper {
namespace {

// What all Observations of a bundle share: written for the first, copied for the others.
void put_common(Draft& draft, JsonSink::Written& common) {
  JsonSink& sink = draft.sink;
  if (common.size != 0) return sink.put_again(common);
  const std::size_t start = sink.at();
  sink.put(R"("subject":)");
  sink.put_again(draft.subject);
  if (!draft.authored.empty()) {
    sink.put(R"(,"effectiveDateTime":")");
    sink.put(draft.authored);
    sink.put('"');
  }
  if (draft.authored_is_instant) {
    sink.put(R"(,"issued":")");
    sink.put(draft.authored);
    sink.put('"');
  }
  sink.put(R"(,"performer":[)");
  sink.put_again(draft.author);
  sink.put("],");
  common = sink.since(start);
}

void put_start(Draft& draft, const IdText& id, std::string_view planned,
               JsonSink::Written& common) {
  draft.sink.put(',');
  put_entry_start(draft, "Observation", id);
  draft.sink.put(draft.amended ? R"("status":"amended",)" : R"("status":"final",)");
  draft.sink.put(planned);
  put_common(draft, common);
}

void put_derived_from_response(Draft& draft) {
  draft.sink.put(R"(,"derivedFrom":[{"reference":"QuestionnaireResponse/)");
  draft.sink.put(draft.response.view());
  draft.sink.put(R"("})");
}

void put_score_value(Draft& draft, const FhirPlan::Scored& plan, std::string_view total) {
  const bool integer = total.find_first_not_of("-0123456789") == std::string_view::npos;
  const bool quantity = !plan.unit.empty() || !integer;
  draft.sink.put(quantity ? R"("valueQuantity":{"value":)" : R"("valueInteger":)");
  draft.sink.put(total);
  if (quantity) {
    draft.sink.put(plan.unit);
    draft.sink.put('}');
  }
}

// A total is derived from the response and from the Observations of the answers it sums.
void put_score(Draft& draft, std::size_t index, JsonSink::Written& common) {
  const ScoreSum& scored = draft.in.scores[index];
  const auto place = static_cast<std::size_t>(scored.score - draft.in.form->scores.data());
  const FhirPlan::Scored& plan = draft.plan.scores[place];
  draft.score_ids[index] = text_of(plan.id.in(draft.in.delivery_id));
  put_start(draft, draft.score_ids[index], plan.observation, common);
  put_score_value(draft, plan, scored.total.reveal());
  if (scored.band != nullptr)
    draft.sink.put(
        plan.interpretations[static_cast<std::size_t>(scored.band - scored.score->bands.data())]);
  put_derived_from_response(draft);
  for (const Observed& observed : draft.observed.items()) {
    if (std::ranges::find(scored.score->items, observed.item) == scored.score->items.end())
      continue;
    draft.sink.put(R"(,{"reference":"Observation/)");
    draft.sink.put(observed.id.view());
    draft.sink.put(R"("})");
  }
  draft.sink.put(']');
  put_entry_end(draft, "Observation", draft.score_ids[index]);
}

}  // namespace

void put_observations(Draft& draft) {
  JsonSink::Written common{}, tail{};
  for (const Observed& observed : draft.observed.items()) {
    const FhirPlan::Item& plan = draft.plan.items[observed.item];
    put_start(draft, observed.id, plan.observation, common);
    put_observation_value(draft.sink,
                          {draft.in.form->items[observed.item], plan, observed.option,
                           draft.in.diary->device, draft.arena},
                          *observed.value);
    if (tail.size == 0) {
      const std::size_t start = draft.sink.at();
      put_derived_from_response(draft);
      draft.sink.put(']');
      tail = draft.sink.since(start);
    } else {
      draft.sink.put_again(tail);
    }
    put_entry_end(draft, "Observation", observed.id);
  }
  for (std::size_t i = 0; i < draft.score_ids.size(); ++i) put_score(draft, i, common);
}

}  // namespace vesper
