// What a careful platform would look at before it takes a delivery.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/uuid.hpp"
#include "platform.hpp"

namespace standin {
namespace {

using nlohmann::json;

bool all_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_traceparent(std::string_view text) {
  return text.size() == 55 && text.starts_with("00-") && text[35] == '-' && text[52] == '-' &&
         all_hex(text.substr(3, 32)) && all_hex(text.substr(36, 16)) && all_hex(text.substr(53));
}

std::string fault_of_entry(const json& entry) {
  const auto& resource = entry.at("resource");
  const auto type = resource.at("resourceType").get<std::string>();
  const auto& request = entry.at("request");
  if (request.at("method") != "PUT") return "an entry is not a PUT";
  if (request.at("url") != type + "/" + resource.at("id").get<std::string>())
    return "an entry's url is not its resource's type and id";
  if (!vesper::parse_uuid(resource.at("id").get<std::string>())) return "an id is not a UUID";
  return {};
}

}  // namespace

std::string fault_of_headers(const Request& request) {
  const auto key = request.header("idempotency-key");
  if (key.size() != 38 || key.front() != '"' || key.back() != '"' ||
      !vesper::parse_uuid(key.substr(1, 36)))
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
  try {
    const auto bundle = json::parse(body);
    if (bundle.at("resourceType") != "Bundle") return "not a Bundle";
    if (bundle.at("type") != "transaction") return "not a transaction";
    const auto& entries = bundle.at("entry");
    if (entries.empty()) return "no entries";
    for (const auto& entry : entries)
      if (auto fault = fault_of_entry(entry); !fault.empty()) return fault;
    const auto& response = entries.at(0).at("resource");
    if (response.at("resourceType") != "QuestionnaireResponse")
      return "the first entry is no QuestionnaireResponse";
    subject = response.at("subject").at("identifier").at("value").get<std::string>();
    return {};
  } catch (const json::exception& e) {
    return e.what();
  }
}

}  // namespace standin
