#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "stages/decode/decode_fixture.hpp"

namespace vesper {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

Json response() {
  return Json::parse(R"({"resourceType":"QuestionnaireResponse",
    "identifier":{"system":"urn:ietf:rfc:3986",
                  "value":"urn:uuid:019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b"},
    "questionnaire":"http://forms.example/evening|3","status":"completed",
    "subject":{"identifier":{"value":"S-000123"}},"authored":"2026-11-20T20:14:05+08:00",
    "author":{"reference":"Patient/S-000123"},"language":"en",
    "item":[{"linkId":"g","text":"Group","item":[
        {"linkId":"a","answer":[{"valueInteger":4,"item":[{"linkId":"a1"}]}]}]},
      {"linkId":"e","answer":[]}]})");
}

Outcome read(const Json& json, Strictness strictness = Strictness::intake) {
  return Outcome{json.dump(), MediaType::fhir, strictness};
}

std::string faults_with(const char* pointer, Json value) {
  Json json = response();
  json[Json::json_pointer(pointer)] = std::move(value);
  return read(json).faults();
}

std::string faults_without(const char* member) {
  Json json = response();
  json.erase(member);
  return read(json).faults();
}

TEST(FhirResponse, EveryMemberArrives) {
  const auto outcome = read(response());
  ASSERT_TRUE(outcome.diary.has_value()) << outcome.first_text();
  const Diary& diary = *outcome.diary;
  EXPECT_TRUE(diary.is_fhir);
  EXPECT_EQ(to_string(*diary.submission_id), "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
  EXPECT_EQ(diary.questionnaire, "http://forms.example/evening|3");
  EXPECT_EQ(diary.subject_id.reveal(), "S-000123");
  EXPECT_EQ(diary.author_reference.reveal(), "Patient/S-000123");
  EXPECT_EQ(diary.language, "en");
  EXPECT_EQ(to_string(diary.authored.utc), "2026-11-20T12:14:05.000Z");
  ASSERT_EQ(diary.items.size(), 2u);
  const ResponseItem& group = diary.items[0];
  EXPECT_EQ(group.text.reveal(), "Group");
  EXPECT_TRUE(group.has_item_member);
  EXPECT_FALSE(group.has_answer_member);
  const ResponseAnswer& answer = group.items[0].answers[0];
  EXPECT_EQ(answer.value.kind, ValueKind::integer);
  EXPECT_EQ(answer.value.text.reveal(), "4");
  EXPECT_EQ(answer.items[0].link_id.reveal(), "a1");
  EXPECT_TRUE(diary.items[1].has_answer_member);
}

TEST(FhirResponse, EachValueTypeKeepsItsParts) {
  Json json = response();
  json["item"] = Json::parse(R"([{"linkId":"v","answer":[
    {"valueBoolean":true},{"valueDecimal":6.5},{"valueDate":"2026-01"},{"valueDateTime":"2026"},
    {"valueTime":"10:00:00"},{"valueString":"s"},{"valueUri":"urn:x"},
    {"valueCoding":{"system":"s","version":"1","code":"c","display":"D","userSelected":true}},
    {"valueQuantity":{"value":70.5,"comparator":"<","unit":"kg","system":"u","code":"kg"}},
    {"valueAttachment":{"contentType":"image/png","data":"AA==","url":"http://x","size":1,
                        "title":"t"}},
    {"valueReference":{"reference":"Patient/1","type":"Patient"}},
    {"_valueString":{"extension":[{"url":"u","valueCode":"x"}]}}]}])");
  const auto outcome = read(json);
  ASSERT_TRUE(outcome.diary.has_value()) << outcome.first_text();
  const auto answers = outcome.diary->items[0].answers;
  ASSERT_EQ(answers.size(), 12u);
  EXPECT_TRUE(answers[0].value.boolean);
  EXPECT_EQ(answers[1].value.kind, ValueKind::decimal);
  EXPECT_EQ(answers[3].value.kind, ValueKind::date_time);
  EXPECT_EQ(answers[7].value.text.reveal(), "c");
  EXPECT_EQ(answers[7].value.display.reveal(), "D");
  EXPECT_EQ(answers[8].value.text.reveal(), "70.5");
  EXPECT_EQ(answers[8].value.display.reveal(), "kg");
  EXPECT_EQ(answers[8].value.code.reveal(), "kg");
  EXPECT_EQ(answers[8].value.comparator.reveal(), "<");
  EXPECT_EQ(answers[9].value.code.reveal(), "image/png");
  EXPECT_EQ(answers[9].value.data.reveal(), "AA==");
  EXPECT_EQ(answers[9].value.size_bytes, 1);
  EXPECT_TRUE(answers[9].value.has_value);
  EXPECT_EQ(answers[10].value.text.reveal(), "Patient/1");
  EXPECT_EQ(answers[11].value.kind, ValueKind::none);
}

TEST(FhirResponse, IntakeNeedsItsMembers) {
  EXPECT_EQ(read(Json::parse(R"({"resourceType":"Patient"})")).faults(), "resourceType");
  EXPECT_EQ(faults_without("identifier"), "none") << "the header may carry the id";
  EXPECT_EQ(faults_without("questionnaire"), "QuestionnaireResponse.questionnaire");
  EXPECT_EQ(faults_with("/questionnaire", "http://x"), "QuestionnaireResponse.questionnaire");
  EXPECT_EQ(faults_with("/questionnaire", "http://x|"), "QuestionnaireResponse.questionnaire");
  EXPECT_EQ(faults_without("status"), "QuestionnaireResponse.status");
  EXPECT_EQ(faults_with("/status", "amended"), "none");
  EXPECT_EQ(faults_with("/status", "in-progress"), "QuestionnaireResponse.status");
  EXPECT_EQ(faults_without("subject"), "QuestionnaireResponse.subject");
  EXPECT_EQ(faults_with("/subject", Json{{"reference", "Patient/S-1"}}), "none");
  EXPECT_EQ(faults_with("/subject", Json{{"reference", "Device/S-1"}}),
            "QuestionnaireResponse.subject.reference");
  EXPECT_EQ(faults_with("/subject/reference", "Patient/other"), "QuestionnaireResponse.subject");
  EXPECT_EQ(faults_without("authored"), "QuestionnaireResponse.authored");
  EXPECT_EQ(faults_with("/authored", "2026-11-20"), "QuestionnaireResponse.authored");
  EXPECT_EQ(faults_with("/authored", "2026-11-20T20:14:05"), "QuestionnaireResponse.authored");
  EXPECT_EQ(faults_with("/identifier/value", "urn:uuid:x"),
            "QuestionnaireResponse.identifier.value");
  EXPECT_EQ(faults_with("/identifier/value", "019aaf0e"), "QuestionnaireResponse.identifier.value");
  EXPECT_EQ(faults_with("/identifier/system", "urn:other"), "none");
  EXPECT_EQ(faults_with("/modifierExtension", Json::array({Json::object()})),
            "QuestionnaireResponse.modifierExtension");
}

TEST(FhirResponse, ShapesInsideItemsAreJudgedByPath) {
  EXPECT_EQ(faults_with("/item/0/strange", 1), "QuestionnaireResponse.item[0].strange");
  EXPECT_EQ(faults_with("/item/0/extension", Json::array()), "none");
  EXPECT_EQ(faults_with("/item/0/modifierExtension", Json::array()),
            "QuestionnaireResponse.item[0].modifierExtension");
  EXPECT_EQ(faults_with("/item/0/linkId", 7), "QuestionnaireResponse.item[0].linkId");
  EXPECT_EQ(faults_with("/item/0", Json::object()), "QuestionnaireResponse.item[0]");
  EXPECT_EQ(faults_with("/item", Json::object()), "QuestionnaireResponse.item");
  EXPECT_EQ(faults_with("/item/1/answer", "x"), "QuestionnaireResponse.item[1].answer");
  EXPECT_EQ(faults_with("/item/1/answer", Json::parse(R"([{"valueInteger":1,"valueString":"a"}])")),
            "QuestionnaireResponse.item[1].answer[0].value");
  EXPECT_EQ(faults_with("/item/1/answer", Json::parse(R"([{"valueInteger":"1"}])")),
            "QuestionnaireResponse.item[1].answer[0].value");
  EXPECT_EQ(faults_with("/item/1/answer", Json::parse(R"([{"valueInstant":"x"}])")),
            "QuestionnaireResponse.item[1].answer[0].valueInstant");
  EXPECT_EQ(faults_with("/item/1/answer", Json::parse(R"([{"valueCoding":{"codes":"x"}}])")),
            "QuestionnaireResponse.item[1].answer[0].value.codes");
  EXPECT_EQ(faults_with("/item/1/answer", Json::parse(R"([{"valueAttachment":{"size":1.5}}])")),
            "QuestionnaireResponse.item[1].answer[0].value.size");
}

TEST(FhirResponse, ThePublicCasesDecodeForChecking) {
  const fs::path folder = corpora() + "/fhir-questionnaire";
  if (!fs::exists(folder)) GTEST_SKIP() << "corpus absent: " << folder;
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with("-qr.json")) continue;
    ++count;
    const Outcome outcome{bytes_of(entry.path()), MediaType::fhir, Strictness::form_only};
    // Its author's verdict is that it is invalid, too: valueCode is no answer type.
    const bool unreadable = name == "open-choice-invalid-type-qr.json";
    EXPECT_NE(outcome.diary.has_value(), unreadable) << name << ": " << outcome.first_text();
  }
  EXPECT_EQ(count, 49);
}

}  // namespace
}  // namespace vesper
