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
    sink.put(R"(,"effectiveDateTime":")", draft.authored, "\"");
  }
  if (draft.authored_is_instant) {
    sink.put(R"(,"issued":")", draft.authored, "\"");
  }
  sink.put(R"(,"performer":[)");
  sink.put_again(draft.author);
  sink.put("],");
  common = sink.since(start);
}

void put_start(Draft& draft, const IdText& id, std::string_view planned,
               JsonSink::Written& common) {
  draft.sink.put(R"(,{"fullUrl":"urn:uuid:)", id,
                 R"(","resource":{"resourceType":"Observation","id":")", id,
                 draft.amended ? std::string_view{R"(","status":"amended",)"}
                               : std::string_view{R"(","status":"final",)"},
                 planned);
  put_common(draft, common);
}

void put_derived_from_response(Draft& draft) {
  draft.sink.put(R"(,"derivedFrom":[{"reference":"QuestionnaireResponse/)", draft.response,
                 R"("})");
}

constexpr std::string_view end_of_derived_from =
    R"(]},"request":{"method":"PUT","url":"Observation/)";

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
  const std::size_t observed_count = draft.observed.size();
  const IdText& id = draft.observation_ids[observed_count + index] =
      text_of(plan.id.in(draft.in.delivery_id));
  put_start(draft, id, plan.observation, common);
  put_score_value(draft, plan, scored.total.reveal());
  if (scored.band != nullptr)
    draft.sink.put(
        plan.interpretations[static_cast<std::size_t>(scored.band - scored.score->bands.data())]);
  put_derived_from_response(draft);
  for (std::size_t i = 0; i < observed_count; ++i) {
    const std::uint32_t item = draft.observed.items()[i].item;
    if (std::ranges::find(scored.score->items, item) != scored.score->items.end())
      draft.sink.put(R"(,{"reference":"Observation/)", draft.observation_ids[i], R"("})");
  }
  draft.sink.put(end_of_derived_from, id, R"("}})");
}

void make_ids(Draft& draft) {
  const Uuid& delivery = draft.in.delivery_id;
  const std::size_t scores = draft.observing ? draft.in.scores.size() : 0;
  draft.observation_ids = draft.arena.array<IdText>(draft.observed.size() + scores);
  IdText* id = draft.observation_ids.data();
  for (const Observed& observed : draft.observed.items()) {
    const FormItem& item = draft.in.form->items[observed.item];
    *id++ =
        text_of(observed.index == 0 ? draft.plan.items[observed.item].observation_0->in(delivery)
                                    : observation_id(delivery, item.link_id, observed.index));
  }
}

}  // namespace

void put_observations(Draft& draft) {
  make_ids(draft);
  JsonSink::Written common{}, tail{};
  const IdText* id = draft.observation_ids.data();
  for (const Observed& observed : draft.observed.items()) {
    const FhirPlan::Item& plan = draft.plan.items[observed.item];
    put_start(draft, *id, plan.observation, common);
    put_observation_value(draft.sink, {draft.in.form->items[observed.item], plan, observed.option},
                          *observed.value);
    if (tail.size == 0) {
      const std::size_t start = draft.sink.at();
      put_derived_from_response(draft);
      draft.sink.put(end_of_derived_from);
      tail = draft.sink.since(start);
    } else {
      draft.sink.put_again(tail);
    }
    draft.sink.put(*id++, R"("}})");
  }
  const std::size_t scores = draft.observation_ids.size() - draft.observed.size();
  for (std::size_t i = 0; i < scores; ++i) put_score(draft, i, common);
}

}  // namespace vesper
