#include "base/encoding.hpp"
#include "stages/fhir/bundle/draft.hpp"
#include "stages/fhir/bundle/ids.hpp"

namespace vesper {
namespace {

constexpr std::string_view participant =
    R"("type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/)"
    R"(provenance-participant-type",)";

void put_targets(Draft& draft) {
  draft.sink.put(R"("target":[{"reference":"QuestionnaireResponse/)");
  draft.sink.put(draft.response.view());
  draft.sink.put(R"("})");
  const auto put_target = [&](const IdText& id) {
    draft.sink.put(R"(,{"reference":"Observation/)");
    draft.sink.put(id.view());
    draft.sink.put(R"("})");
  };
  for (const Observed& observed : draft.observed.items()) put_target(observed.id);
  for (const IdText& id : draft.score_ids) put_target(id);
  draft.sink.put("],");
}

void put_times(Draft& draft) {
  if (!draft.authored.empty()) {
    draft.sink.put(R"("occurredDateTime":")");
    draft.sink.put(draft.authored);
    draft.sink.put(R"(",)");
  }
  std::array<char, wall_time_chars> recorded;
  format_wall_time(draft.in.received_at, recorded.data());
  draft.sink.put(R"("recorded":")");
  draft.sink.put({recorded.data(), recorded.size()});
  draft.sink.put(R"(",)");
}

void put_reason_and_activity(Draft& draft) {
  if (draft.amended && !draft.in.diary->amend_reason.empty()) {
    draft.sink.put(R"("reason":[{"text":")");
    draft.sink.put_escaped(draft.in.diary->amend_reason.reveal());
    draft.sink.put(R"("}],)");
  }
  draft.sink.put(R"("activity":{"coding":[{"system":)"
                 R"("http://terminology.hl7.org/CodeSystem/v3-DataOperation",)");
  draft.sink.put(draft.amended ? R"("code":"UPDATE","display":"revise"}]},)"
                               : R"("code":"CREATE","display":"create"}]},)");
}

void put_device_agent(Draft& draft) {
  const Device& device = draft.in.diary->device;
  if (device.id.empty() && device.app.empty()) return;
  draft.sink.put(",{");
  draft.sink.put(participant);
  draft.sink.put(R"("code":"composer","display":"Composer"}]},"who":{"type":"Device")");
  if (!device.id.empty()) {
    draft.sink.put(R"(,"identifier":{"system":"urn:vesper:trial:)");
    put_urn_part(draft.sink, draft.in.trial_id);
    draft.sink.put(R"(:device","value":")");
    draft.sink.put_escaped(device.id.reveal());
    draft.sink.put(R"("})");
  }
  if (!device.app.empty()) {
    draft.sink.put(R"(,"display":")");
    draft.sink.put_escaped(device.app.reveal());
    draft.sink.put('"');
  }
  draft.sink.put("}}");
}

void put_agents(Draft& draft) {
  draft.sink.put(R"("agent":[{)");
  draft.sink.put(participant);
  draft.sink.put(R"("code":"author","display":"Author"}]},"who":)");
  draft.sink.put_again(draft.author);
  if (draft.in.author != Author::patient) {
    draft.sink.put(R"(,"onBehalfOf":)");
    draft.sink.put_again(draft.subject);
  }
  draft.sink.put('}');
  put_device_agent(draft);
  draft.sink.put(",{");
  draft.sink.put(participant);
  draft.sink.put(R"("code":"assembler","display":"Assembler"}]},"who":{"type":"Device",)"
                 R"("identifier":{"system":"urn:vesper:mapper","value":"1"},)"
                 R"("display":"Vesper FHIR mapper 1"}}],)");
}

void put_entities(Draft& draft) {
  draft.sink.put(R"("entity":[{"role":"source","what":{"reference":"QuestionnaireResponse/)");
  draft.sink.put(draft.response.view());
  draft.sink.put(R"("}},{"role":"source","what":{"identifier":)"
                 R"({"system":"urn:vesper:content-hash","value":"sha256:)");
  for (std::size_t i = 0; i < draft.in.content_hash.size(); ++i) {
    constexpr std::string_view hex = "0123456789abcdef";
    draft.sink.put(hex[draft.in.content_hash[i] >> 4]);
    draft.sink.put(hex[draft.in.content_hash[i] & 15]);
  }
  draft.sink.put(R"("},"display":"Source document as sent"}})");
  if (draft.in.diary->amends) {
    draft.sink.put(R"(,{"role":"revision","what":{"type":"QuestionnaireResponse","identifier":)"
                   R"({"system":"urn:ietf:rfc:3986","value":"urn:uuid:)");
    draft.sink.put(text_of(*draft.in.diary->amends).view());
    draft.sink.put(R"("}}})");
  }
  draft.sink.put(']');
}

}  // namespace

void put_provenance(Draft& draft) {
  const IdText id = text_of(provenance_id(draft.in.delivery_id));
  draft.sink.put(',');
  put_entry_start(draft, "Provenance", id);
  put_targets(draft);
  put_times(draft);
  put_reason_and_activity(draft);
  put_agents(draft);
  put_entities(draft);
  put_entry_end(draft, "Provenance", id);
}

}  // namespace vesper
