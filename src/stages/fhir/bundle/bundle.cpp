#include "stages/fhir/bundle/bundle.hpp"

#include "base/ensure.hpp"
#include "stages/fhir/bundle/draft.hpp"
#include "stages/fhir/bundle/ids.hpp"
#include "stages/fhir/bundle/value.hpp"

namespace vesper {
namespace {

const UuidName response_uuid_name{response_name};

std::string_view code_of(ResponseStatus status) {
  switch (status) {
    case ResponseStatus::completed:
      return "completed";
    case ResponseStatus::amended:
      return "amended";
    case ResponseStatus::in_progress:
      return "in-progress";
    case ResponseStatus::stopped:
      return "stopped";
    case ResponseStatus::entered_in_error:
      return "entered-in-error";
  }
  return {};
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_plain(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

// A scheme, a colon, something after it, and only characters that RFC 3986 knows.
bool is_absolute_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size() || !is_letter(text[0]))
    return false;
  for (char c : text.substr(0, colon))
    if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.') return false;
  for (char c : text)
    if (c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\\') return false;
  return true;
}

void prepare(Draft& draft) {
  const Diary& diary = *draft.in.diary;
  draft.response = text_of(response_uuid_name.in(draft.in.delivery_id));
  draft.answers_seen = draft.arena.array<std::uint32_t>(draft.in.form->items.size());
  draft.amended = diary.amends.has_value() || diary.status == ResponseStatus::amended;
  draft.observing = draft.amended || diary.status == ResponseStatus::completed;
  draft.status = draft.amended ? "amended" : code_of(diary.status);
  draft.authored = complete_date_time(diary.authored_text.reveal(), diary.authored, draft.arena);
  draft.authored_is_instant = draft.authored.size() > 10;
}

}  // namespace

Author author_of(Scopes scopes) {
  if (scopes.has(Scope::patient)) return Author::patient;
  return scopes.has(Scope::site) ? Author::site : Author::service;
}

void put_urn_part(JsonSink& sink, std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (char c : text) {
    if (is_plain(c)) {
      sink.put(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    sink.put('%');
    sink.put(hex[byte >> 4]);
    sink.put(hex[byte & 15]);
  }
}

void put_system(JsonSink& sink, std::string_view space, std::string_view text) {
  sink.put(R"("system":")");
  if (is_absolute_uri(text)) {
    sink.put_escaped(text);
  } else {
    sink.put("urn:vesper:");
    sink.put(space);
    sink.put(':');
    put_urn_part(sink, text);
  }
  sink.put('"');
}

void write_bundle(std::string& out, const BundleInput& input, Arena& arena) {
  ensure(input.form != nullptr && input.diary != nullptr && input.form->plan != nullptr);
  const FhirPlan& plan = *input.form->plan;
  JsonSink sink{out, plan.bundle_size_guess};
  Draft draft{.in = input, .plan = plan, .arena = arena, .sink = sink};
  prepare(draft);
  sink.put(R"({"resourceType":"Bundle","id":")");
  sink.put(text_of(input.delivery_id));
  sink.put(R"(","type":"transaction","entry":[)");
  put_response(draft);
  put_observations(draft);
  put_provenance(draft);
  sink.put("]}");
  sink.finish();
}

}  // namespace vesper
