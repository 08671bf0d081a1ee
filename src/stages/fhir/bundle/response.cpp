#include <algorithm>

#include "base/ensure.hpp"
#include "stages/fhir/bundle/draft.hpp"
#include "stages/fhir/bundle/value.hpp"

namespace vesper {
namespace {

void put_items(Draft& draft, std::span<const ResponseItem> items,
               std::span<const std::uint32_t> siblings);

void observe(Draft& draft, std::uint32_t item, std::uint32_t option, const Value& value) {
  const std::uint32_t index = draft.answers_seen[item]++;
  if (!draft.observing || !draft.plan.items[item].observation_0 || !observable(value)) return;
  draft.observed.push({.item = item, .option = option, .index = index, .value = &value});
}

// Writes the answer's opening brace too, so that an answer that says nothing leaves no trace.
bool put_answer(Draft& draft, std::uint32_t index, const ResponseAnswer& answer,
                std::string_view opening) {
  const FormItem& item = draft.in.form->items[index];
  const FhirPlan::Item& plan = draft.plan.items[index];
  const bool valued = says_something(answer.value);
  if (!valued && answer.items.empty()) return false;
  draft.sink.put(opening);
  if (valued) {
    const std::uint32_t option = chosen_option(item, plan, answer.value);
    put_answer_value(draft.sink, {item, plan, option}, answer.value);
    observe(draft, index, option, answer.value);
  }
  if (!answer.items.empty()) {
    draft.sink.put(valued ? R"(,"item":[)" : R"("item":[)");
    put_items(draft, answer.items, item.children);
    draft.sink.put(']');
  }
  draft.sink.put('}');
  return true;
}

void put_item(Draft& draft, std::uint32_t index, const ResponseItem& item) {
  draft.sink.put(draft.plan.items[index].response);
  bool answered = false;
  for (const ResponseAnswer& answer : item.answers)
    answered |= put_answer(draft, index, answer, answered ? ",{" : R"(,"answer":[{)");
  if (answered) draft.sink.put(']');
  if (!item.items.empty()) {
    draft.sink.put(R"(,"item":[)");
    put_items(draft, item.items, draft.in.form->items[index].children);
    draft.sink.put(']');
  }
  draft.sink.put('}');
}

// A checked response keeps the form's order, so the next item is nearly always the next sibling.
std::size_t place_among(const Form& form, std::span<const std::uint32_t> siblings, std::size_t from,
                        std::string_view link_id) {
  for (std::size_t step = 0; step < siblings.size(); ++step) {
    const std::size_t at =
        from + step < siblings.size() ? from + step : from + step - siblings.size();
    if (form.items[siblings[at]].link_id == link_id) return at;
  }
  ensure(false);  // a checked response has no other linkId
  return 0;
}

void put_items(Draft& draft, std::span<const ResponseItem> items,
               std::span<const std::uint32_t> siblings) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) draft.sink.put(',');
    at = place_among(*draft.in.form, siblings, at, items[i].link_id.reveal());
    put_item(draft, siblings[at], items[i]);
  }
}

// BCP 47 in shape. Anything else is no FHIR code and stays in the source.
bool is_language(std::string_view tag) {
  std::size_t subtag = 0;
  for (std::size_t i = 0; i < tag.size(); ++i) {
    const char c = tag[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool first = tag.find('-') > i;
    if (c == '-' ? subtag == 0 : !letter && (first || c < '0' || c > '9')) return false;
    subtag = c == '-' ? 0 : subtag + 1;
    if (subtag > 8) return false;
  }
  return subtag > 0 && std::min(tag.find('-'), tag.size()) >= 2;
}

void put_flags(Draft& draft) {
  constexpr std::array<std::pair<Flag, std::string_view>, 3> names{
      {{Flag::late, R"("late")"},
       {Flag::duplicate_in_window, R"("duplicate-in-window")"},
       {Flag::clock_skew, R"("clock-skew")"}}};
  std::string_view before = R"("meta":{"tag":[)";
  for (const auto& [flag, name] : names) {
    if ((draft.in.flags & static_cast<std::uint8_t>(flag)) == 0) continue;
    draft.sink.put(before);
    draft.sink.put(R"({"system":"urn:vesper:flag","code":)");
    draft.sink.put(name);
    draft.sink.put('}');
    before = ",";
  }
  if (before == ",") draft.sink.put("]},");
}

void put_subject(Draft& draft) {
  const std::size_t start = draft.sink.at();
  draft.sink.put(R"({"type":"Patient","identifier":{)");
  if (draft.in.subject_system.empty()) {
    draft.sink.put(R"("system":"urn:vesper:trial:)");
    put_urn_part(draft.sink, draft.in.trial_id);
    draft.sink.put(R"(:subject")");
  } else {
    put_system(draft.sink, "subject", draft.in.subject_system);
  }
  draft.sink.put(R"(,"value":")");
  draft.sink.put_escaped(draft.in.subject_id.reveal());
  draft.sink.put(R"("}})");
  draft.subject = draft.sink.since(start);
}

void put_author(Draft& draft) {
  if (draft.in.author == Author::patient) {
    draft.author = draft.subject;
    return draft.sink.put_again(draft.subject);
  }
  const std::size_t start = draft.sink.at();
  draft.sink.put(draft.in.author == Author::site ? R"({"type":"Practitioner","identifier":{)"
                                                 : R"({"type":"Organization","identifier":{)");
  put_system(draft.sink, "issuer", draft.in.issuer);
  draft.sink.put(R"(,"value":")");
  draft.sink.put_escaped(draft.in.caller_subject.reveal());
  draft.sink.put(R"("}})");
  draft.author = draft.sink.since(start);
}

}  // namespace

void put_response(Draft& draft) {
  JsonSink& sink = draft.sink;
  sink.put(R"({"fullUrl":"urn:uuid:)", draft.response,
           R"(","resource":{"resourceType":"QuestionnaireResponse","id":")", draft.response, "\",");
  put_flags(draft);
  if (is_language(draft.in.diary->language)) {
    sink.put(R"("language":")");
    sink.put(draft.in.diary->language);
    sink.put(R"(",)");
  }
  sink.put(R"("identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:)",
           text_of(draft.in.submission_id), R"("},"questionnaire":")", draft.plan.questionnaire,
           R"(","status":")", draft.status, R"(","subject":)");
  put_subject(draft);
  if (!draft.authored.empty()) {
    sink.put(R"(,"authored":")", draft.authored, "\"");
  }
  sink.put(R"(,"author":)");
  put_author(draft);
  if (draft.in.author == Author::patient) {
    sink.put(R"(,"source":)");
    sink.put_again(draft.subject);
  }
  if (!draft.in.items.empty()) {
    sink.put(R"(,"item":[)");
    put_items(draft, draft.in.items, draft.in.form->roots);
    sink.put(']');
  }
  sink.put(R"(},"request":{"method":"PUT","url":"QuestionnaireResponse/)", draft.response,
           R"("}})");
}

}  // namespace vesper
