// What a careful platform would look at before it takes a delivery.
#include <algorithm>

#include "base/arena.hpp"
#include "base/json.hpp"
#include "drill/standin/platform.hpp"

namespace vesper::standin {
namespace {

bool all_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_traceparent(std::string_view text) {
  return text.size() == 55 && text.starts_with("00-") && text[35] == '-' && text[52] == '-' &&
         all_hex(text.substr(3, 32)) && all_hex(text.substr(36, 16)) && all_hex(text.substr(53));
}

/// The string at a path of members; empty when it is not there.
template <class... Names>
std::string_view text_at(const JsonValue& value, Names... names) {
  const JsonValue* at = &value;
  for (const std::string_view name : {std::string_view{names}...})
    if (at = at->find(name); at == nullptr) return {};
  return at->is(JsonKind::string) ? at->text : std::string_view{};
}

std::string fault_of_entry(const JsonValue& entry) {
  const std::string_view type = text_at(entry, "resource", "resourceType"),
                         id = text_at(entry, "resource", "id");
  if (type.empty() || id.empty()) return "an entry has no resource with a type and an id";
  if (text_at(entry, "request", "method") != "PUT") return "an entry is not a PUT";
  if (text_at(entry, "request", "url") != std::string{type} + "/" + std::string{id})
    return "an entry's url is not its resource's type and id";
  if (!parse_uuid(id)) return "an id is not a UUID";
  return {};
}

}  // namespace

std::string fault_of_headers(const Request& request) {
  const auto key = request.header("idempotency-key");
  if (key.size() != 38 || key.front() != '"' || key.back() != '"' || !parse_uuid(key.substr(1, 36)))
    return "Idempotency-Key is not a quoted UUID";
  const auto hash = request.header("vesper-content-hash");
  if (hash.size() != 71 || !hash.starts_with("sha256:") || !all_hex(hash.substr(7)))
    return "Vesper-Content-Hash is not sha256: and 64 digits";
  if (request.header("content-type") != "application/fhir+json")
    return "Content-Type is not application/fhir+json";
  if (!is_traceparent(request.header("traceparent"))) return "traceparent is malformed";
  if (!request.header("content-encoding").empty() || !request.header("transfer-encoding").empty())
    return "the body is coded";
  return {};
}

std::string fault_of_bundle(std::string_view body, std::string& subject) {
  Arena arena;
  const auto bundle = parse_json(body, arena);
  if (!bundle) return "not JSON: " + std::string{bundle.error().reason};
  if (text_at(**bundle, "resourceType") != "Bundle") return "not a Bundle";
  if (text_at(**bundle, "type") != "transaction") return "not a transaction";
  const JsonValue* entries = (*bundle)->find("entry");
  if (entries == nullptr || !entries->is(JsonKind::array) || entries->size == 0)
    return "no entries";
  for (const JsonValue& entry : *entries)
    if (auto fault = fault_of_entry(entry); !fault.empty()) return fault;
  const JsonValue& first = *entries->first;
  if (text_at(first, "resource", "resourceType") != "QuestionnaireResponse")
    return "the first entry is no QuestionnaireResponse";
  subject = text_at(first, "resource", "subject", "identifier", "value");
  return subject.empty() ? "no subject identifier" : "";
}

}  // namespace vesper::standin
