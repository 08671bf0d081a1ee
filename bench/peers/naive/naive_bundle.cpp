#include "naive_bundle.hpp"

#include <stdexcept>

#include "base/uuid.hpp"

namespace {

using nlohmann::json;

json fhir_value(const json& answer) {
  if (answer.is_number_integer()) return {{"valueInteger", answer}};
  if (answer.is_number()) return {{"valueDecimal", answer}};
  if (answer.is_boolean()) return {{"valueBoolean", answer}};
  if (answer.is_string()) return {{"valueString", answer}};
  throw std::runtime_error("an answer is neither a number, a text nor yes or no");
}

const json& form_of(const json& diary, const json& trial) {
  for (const json& form : trial.at("forms"))
    if (form.at("id") == diary.at("form") && form.at("version") == diary.at("formVersion"))
      return form.at("questionnaire");
  throw std::runtime_error("no such form");
}

json entry(const json& resource) {
  const std::string type = resource.at("resourceType"), id = resource.at("id");
  return {{"fullUrl", "urn:uuid:" + id},
          {"resource", resource},
          {"request", {{"method", "PUT"}, {"url", type + "/" + id}}}};
}

}  // namespace

json naive_bundle(const json& diary, const json& trial, const std::string& delivery_id) {
  const json& form = form_of(diary, trial);
  const auto space = *vesper::parse_uuid(delivery_id);
  const json subject{{"identifier",
                      {{"system", trial.value("subjectSystem", "urn:subjects")},
                       {"value", diary.at("subjectId")}}}};
  const std::string response_id = to_string(vesper::uuid_v5(space, "response"));
  json items = json::array(), observations = json::array();
  for (const json& item : form.at("item")) {
    const std::string link = item.at("linkId");
    if (!diary.at("answers").contains(link)) {
      if (item.value("required", false)) throw std::runtime_error("an answer is missing: " + link);
      continue;
    }
    const json value = fhir_value(diary.at("answers").at(link));
    items.push_back({{"linkId", link}, {"text", item.value("text", "")}, {"answer", {value}}});
    json observation{{"resourceType", "Observation"},
                     {"id", to_string(vesper::uuid_v5(space, "observation" + link))},
                     {"status", "final"},
                     {"code", {{"coding", item.value("code", json::array())}}},
                     {"subject", subject},
                     {"effectiveDateTime", diary.at("authored")},
                     {"derivedFrom", {{{"reference", "urn:uuid:" + response_id}}}}};
    observation.update(value);
    observations.push_back(entry(observation));
  }
  json entries = json::array();
  entries.push_back(entry({{"resourceType", "QuestionnaireResponse"},
                           {"id", response_id},
                           {"questionnaire", form.at("url")},
                           {"status", "completed"},
                           {"subject", subject},
                           {"authored", diary.at("authored")},
                           {"item", items}}));
  for (const json& observation : observations) entries.push_back(observation);
  return {{"resourceType", "Bundle"}, {"type", "transaction"}, {"entry", entries}};
}
