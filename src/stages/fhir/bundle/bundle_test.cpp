#include "stages/fhir/bundle/bundle.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "stages/fhir/bundle/bundle_fixture.hpp"
#include "stages/fhir/bundle/ids.hpp"

namespace vesper {
namespace {

using namespace bundle_fixture;
using nlohmann::json;

Form evening_form() {
  FormDraft draft;
  draft.add(extracted("pain-nrs", ItemType::integer, "pain"));
  FormItem fatigue = extracted("fatigue", ItemType::choice, "fatigue");
  for (const char* code : {"none", "moderate", "severe"}) {
    Option option;
    option.coding = {"https://trial.example/levels", {}, code, std::string{"Level "} + code};
    fatigue.options.push_back(option);
  }
  draft.add(fatigue);
  FormItem slept = extracted("slept-hours", ItemType::decimal, "sleep");
  slept.unit = Coding{"http://unitsofmeasure.org", {}, "h", "hours"};
  draft.add(slept);
  draft.add(extracted("took-medication", ItemType::boolean, "taken"));
  draft.add(question("note", ItemType::text, "Anything \"else\"?"));
  return draft.finish();
}

void answer_all(Sheet& sheet) {
  Value yes;
  yes.kind = ValueKind::boolean;
  yes.boolean = true;
  sheet.answer({sheet.item("pain-nrs", {typed(ValueKind::integer, "4")}),
                sheet.item("fatigue", {coded("moderate")}),
                sheet.item("slept-hours", {typed(ValueKind::decimal, "6.50")}),
                sheet.item("took-medication", {yes}),
                sheet.item("note", {typed(ValueKind::string, "a \"note\"\n\\ \x01 夜 😀")})});
}

TEST(Bundle, IsATransactionOfPutsWithTheResponseFirst) {
  const Form form = evening_form();
  Sheet sheet{form};
  answer_all(sheet);
  const json bundle = sheet.json();
  EXPECT_EQ(bundle["resourceType"], "Bundle");
  EXPECT_EQ(bundle["type"], "transaction");
  EXPECT_EQ(bundle["id"], to_string(sheet.input.delivery_id));
  ASSERT_EQ(bundle["entry"].size(), 6u);
  std::vector<std::string> types;
  std::set<std::string> full_urls;
  for (const auto& entry : bundle["entry"]) {
    const std::string type = entry["resource"]["resourceType"], id = entry["resource"]["id"];
    types.push_back(type);
    full_urls.insert(entry["fullUrl"]);
    EXPECT_EQ(entry["fullUrl"], "urn:uuid:" + id);
    EXPECT_EQ(entry["request"]["method"], "PUT");
    EXPECT_EQ(entry["request"]["url"], type + "/" + id);
  }
  EXPECT_EQ(full_urls.size(), 6u);
  EXPECT_EQ(types, (std::vector<std::string>{"QuestionnaireResponse", "Observation", "Observation",
                                             "Observation", "Observation", "Provenance"}));
}

// Computed with Python: uuid.uuid5(uuid.NAMESPACE_DNS, name).
TEST(Bundle, IdsAreUuidV5OfTheDeliveryId) {
  const Uuid delivery = *parse_uuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(to_string(response_id(delivery)), "3e55e9aa-a745-5f88-95c9-40e2ae0a88d4");
  EXPECT_EQ(to_string(observation_id(delivery, "pain-nrs", 0)),
            "24a7a849-59c6-5af3-bc45-cf1a6d69eafb");
  EXPECT_EQ(to_string(observation_id(delivery, "pain-nrs", 1)),
            "79323b67-a804-54f5-8b91-0b3dc0b47bd7");
  EXPECT_EQ(to_string(score_observation_id(delivery, "phq9-total")),
            "f83f0ab4-db7b-5dd0-ac92-f7a96ae77978");
  EXPECT_EQ(to_string(provenance_id(delivery)), "27512591-db8e-50dc-a279-1c6f7f331ab2");
}

TEST(Bundle, EveryReferenceToAResourceResolvesWithinIt) {
  const Form form = evening_form();
  Sheet sheet{form};
  answer_all(sheet);
  const json bundle = sheet.json();
  std::set<std::string> present;
  for (const auto& entry : bundle["entry"]) present.insert(entry["request"]["url"]);
  int seen = 0;
  const std::function<void(const json&)> walk = [&](const json& node) {
    if (node.is_object() && node.contains("reference")) {
      ++seen;
      EXPECT_TRUE(present.contains(node["reference"])) << node["reference"];
    }
    if (node.is_structured())
      for (const auto& child : node) walk(child);
  };
  walk(bundle);
  EXPECT_EQ(seen, 4 + 5 + 1);  // derivedFrom, targets, source
}

TEST(Bundle, TheResponseSaysWhoWhenAndWhat) {
  const Form form = evening_form();
  Sheet sheet{form};
  answer_all(sheet);
  const json response = resources(sheet.json(), "QuestionnaireResponse").at(0);
  const json subject = json::parse(R"({"type":"Patient","identifier":
      {"system":"urn:vesper:trial:EVENING-01:subject","value":"S-000123"}})");
  EXPECT_EQ(response["identifier"]["system"], "urn:ietf:rfc:3986");
  EXPECT_EQ(response["identifier"]["value"], "urn:uuid:019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
  EXPECT_EQ(response["questionnaire"], "https://trial.example/Questionnaire/evening-diary|3");
  EXPECT_EQ(response["status"], "completed");
  EXPECT_EQ(response["language"], "en");
  EXPECT_EQ(response["authored"], "2026-11-20T20:14:05+08:00");
  EXPECT_EQ(response["subject"], subject);
  EXPECT_EQ(response["author"], subject);
  EXPECT_EQ(response["source"], subject);
  EXPECT_FALSE(response.contains("meta"));
  EXPECT_EQ(response["item"][0], json::parse(R"({"linkId":"pain-nrs","text":"How was pain-nrs?",
      "answer":[{"valueInteger":4}]})"));
  EXPECT_EQ(response["item"][1]["answer"][0]["valueCoding"],
            json::parse(R"({"system":"https://trial.example/levels","code":"moderate",
                            "display":"Level moderate"})"));
  EXPECT_EQ(response["item"][4]["text"], "Anything \"else\"?");
  EXPECT_EQ(response["item"][4]["answer"][0]["valueString"], "a \"note\"\n\\ \x01 夜 😀");
}

TEST(Bundle, AnObservationCarriesTheAnswerItIsDerivedFrom) {
  const Form form = evening_form();
  Sheet sheet{form};
  answer_all(sheet);
  const json bundle = sheet.json();
  const auto observations = resources(bundle, "Observation");
  const json& pain = observations.at(0);
  EXPECT_EQ(pain["id"], to_string(observation_id(sheet.input.delivery_id, "pain-nrs", 0)));
  EXPECT_EQ(pain["status"], "final");
  EXPECT_EQ(pain["category"][0]["coding"][0]["code"], "survey");
  EXPECT_EQ(pain["code"], json::parse(R"({"coding":[{"system":"https://trial.example/codes",
      "code":"pain","display":"Code of pain-nrs"}],"text":"How was pain-nrs?"})"));
  EXPECT_EQ(pain["effectiveDateTime"], "2026-11-20T20:14:05+08:00");
  EXPECT_EQ(pain["issued"], "2026-11-20T20:14:05+08:00");
  EXPECT_EQ(pain["subject"], pain["performer"][0]);
  EXPECT_EQ(pain["valueInteger"], 4);
  EXPECT_EQ(pain["derivedFrom"][0]["reference"],
            "QuestionnaireResponse/" + to_string(response_id(sheet.input.delivery_id)));
  EXPECT_EQ(observations.at(1)["valueCodeableConcept"]["coding"][0]["code"], "moderate");
  EXPECT_EQ(observations.at(2)["valueQuantity"],
            json::parse(R"({"value":6.50,"unit":"hours","system":"http://unitsofmeasure.org",
                            "code":"h"})"));
  EXPECT_EQ(observations.at(3)["valueBoolean"], true);
}

TEST(Bundle, DecimalsKeepTheirDigits) {
  const Form form = evening_form();
  Sheet sheet{form};
  sheet.answer({sheet.item("slept-hours", {typed(ValueKind::decimal, "6.500000000000000000")})});
  const std::string text = sheet.text();
  EXPECT_NE(text.find(R"("valueDecimal":6.500000000000000000})"), std::string::npos);
  EXPECT_NE(text.find(R"("valueQuantity":{"value":6.500000000000000000,)"), std::string::npos);
}

TEST(Bundle, ASkippedAnswerLeavesNoObservation) {
  const Form form = evening_form();
  Sheet sheet{form};
  sheet.answer({sheet.item("pain-nrs", {typed(ValueKind::integer, "0")}), sheet.item("fatigue"),
                sheet.item("note", {typed(ValueKind::string, "")})});
  const json bundle = sheet.json();
  EXPECT_EQ(resources(bundle, "Observation").size(), 1u);
  const json response = resources(bundle, "QuestionnaireResponse").at(0);
  EXPECT_EQ(response["item"].size(), 3u);
  EXPECT_FALSE(response["item"][1].contains("answer"));
  EXPECT_FALSE(response["item"][2].contains("answer"));
}

TEST(Bundle, ATextIsKeptAsSentAlsoWhenOfBlanksOrControls) {
  const Form form = evening_form();
  for (const char* text :
       {" ", "\t\r\n", "\u00a0", "\u2028\u3000 \ufeff", "\x01\x1b[0m\x7f", " x "}) {
    Sheet sheet{form};
    sheet.answer({sheet.item("note", {typed(ValueKind::string, text)})});
    const json item = resources(sheet.json(), "QuestionnaireResponse").at(0)["item"][0];
    EXPECT_EQ(item["answer"][0]["valueString"], text);
  }
}

TEST(Bundle, ADiaryWithoutAnswersHasNoItemMember) {
  const Form form = evening_form();
  Sheet sheet{form};
  const json bundle = sheet.json();
  EXPECT_EQ(bundle["entry"].size(), 2u);
  EXPECT_FALSE(bundle["entry"][0]["resource"].contains("item"));
}

TEST(Bundle, EqualInputsGiveEqualBytesWhateverWasWrittenBefore) {
  const Form form = evening_form();
  Sheet sheet{form};
  answer_all(sheet);
  const std::string first = sheet.text();
  std::string appended = "before";
  for (int i = 0; i < 3; ++i) write_bundle(appended, sheet.input, sheet.arena);
  EXPECT_EQ(appended, "before" + first + first + first);
}

}  // namespace
}  // namespace vesper
