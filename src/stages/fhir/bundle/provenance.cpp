#include "base/encoding.hpp"
#include "stages/fhir/bundle/draft.hpp"
#include "stages/fhir/bundle/ids.hpp"

namespace vesper {
namespace {

constexpr std::string_view participant =
    R"("type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/)"
    R"(provenance-participant-type",)";

void put_targets(Draft& draft) {
  draft.sink.put(R"("target":[{"reference":"QuestionnaireResponse/)", draft.response, R"("})");
  for (const IdText& id : draft.observation_ids)
    draft.sink.put(R"(,{"reference":"Observation/)", id, R"("})");
  draft.sink.put("],");
}

void put_times(Draft& draft) {
  if (!draft.authored.empty()) draft.sink.put(R"("occurredDateTime":")", draft.authored, R"(",)");
  std::array<char, wall_time_chars> recorded;
  format_wall_time(draft.in.received_at, recorded.data());
  draft.sink.put(R"("recorded":")", std::string_view{recorded.data(), recorded.size()}, R"(",)");
}

void put_reason_and_activity(Draft& draft) {
  if (draft.amended && !is_blank(draft.in.diary->amend_reason.reveal())) {
    draft.sink.put(R"("reason":[{"coding":[{"system":)"
                   R"("http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"CLINTRCH",)"
                   R"("display":"clinical trial research"}],"text":")");
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
  const bool named = !is_blank(device.id.reveal()), versioned = !is_blank(device.app.reveal());
  if (!named && !versioned) return;
  draft.sink.put(",{");
  draft.sink.put(participant);
  draft.sink.put(R"("code":"composer","display":"Composer"}]},"who":{"type":"Device")");
  if (named) {
    draft.sink.put(R"(,"identifier":{"system":"urn:vesper:trial:)");
    put_urn_part(draft.sink, draft.in.trial_id);
    draft.sink.put(R"(:device","value":")");
    draft.sink.put_escaped(device.id.reveal());
    draft.sink.put(R"("})");
  }
  if (versioned) {
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

std::array<char, 64> hex_of(const Hash& hash) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<char, 64> out;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    out[2 * i] = digits[hash[i] >> 4];
    out[2 * i + 1] = digits[hash[i] & 15];
  }
  return out;
}

void put_entities(Draft& draft) {
  const std::array<char, 64> hash = hex_of(draft.in.content_hash);
  draft.sink.put(
      R"("entity":[{"role":"source","what":{"reference":"QuestionnaireResponse/)", draft.response,
      R"("}},{"role":"source","what":{"identifier":)"
      R"({"system":"urn:vesper:content-hash","value":"sha256:)",
      std::string_view{hash.data(), hash.size()}, R"("},"display":"Source document as sent"}})");
  if (draft.in.diary->amends)
    draft.sink.put(R"(,{"role":"revision","what":{"type":"QuestionnaireResponse","identifier":)"
                   R"({"system":"urn:ietf:rfc:3986","value":"urn:uuid:)",
                   text_of(*draft.in.diary->amends), R"("}}})");
  draft.sink.put("]");
}

const UuidName provenance_uuid_name{provenance_name};

}  // namespace

void put_provenance(Draft& draft) {
  const IdText id = text_of(provenance_uuid_name.in(draft.in.delivery_id));
  draft.sink.put(R"(,{"fullUrl":"urn:uuid:)", id,
                 R"(","resource":{"resourceType":"Provenance","id":")", id, "\",");
  put_targets(draft);
  put_times(draft);
  put_reason_and_activity(draft);
  put_agents(draft);
  put_entities(draft);
  draft.sink.put(R"(},"request":{"method":"PUT","url":"Provenance/)", id, R"("}})");
}

}  // namespace vesper
