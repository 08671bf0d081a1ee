#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "stages/decode/decode_fixture.hpp"

namespace vesper {
namespace {

using Json = nlohmann::json;

Json evening() {
  return Json::parse(R"({"submissionId":"019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b",
    "trialId":"EVENING-01","subjectId":"S-000123","form":"evening-diary","formVersion":"3",
    "authored":"2026-11-20T20:14:05+08:00","language":"zh-CN",
    "device":{"id":"d-77","app":"2.4.1","utcOffsetMinutes":480},
    "answers":{"pain-nrs":4,"fatigue":"moderate","slept-hours":6.50,"took-medication":true}})");
}

std::string faults_with(const char* member, Json value) {
  Json diary = evening();
  diary[Json::json_pointer(member)] = std::move(value);
  return Outcome{diary.dump()}.faults();
}

TEST(JsonDiary, EveryMemberArrives) {
  const Outcome outcome(
      R"({"submissionId":"019AAF0E-7c1e-7b52-a3b0-1d2c3e4f5a6b","trialId":"EVENING-01",
      "subjectId":"S-000123","form":"evening-diary","formVersion":"3",
      "authored":"2026-11-20T20:14:05+08:00","language":"zh-CN","extra":{"kept":[1]},
      "device":{"id":"d-77","app":"2.4.1","utcOffsetMinutes":480,"other":1},
      "amends":"019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6c","reason":"typed 4, meant 5",
      "answers":{"pain-nrs":4,"slept-hours":6.50,"took":true,"note":"a\u00e9","skipped":null}})");
  ASSERT_TRUE(outcome.diary.has_value()) << outcome.faults();
  const Diary& diary = *outcome.diary;
  EXPECT_EQ(to_string(*diary.submission_id), "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
  EXPECT_EQ(diary.trial_id.reveal(), "EVENING-01");
  EXPECT_EQ(diary.subject_id.reveal(), "S-000123");
  EXPECT_EQ(diary.form_id, "evening-diary");
  EXPECT_EQ(diary.form_version, "3");
  EXPECT_EQ(diary.authored_text.reveal(), "2026-11-20T20:14:05+08:00");
  EXPECT_EQ(to_string(diary.authored.utc), "2026-11-20T12:14:05.000Z");
  EXPECT_EQ(diary.language, "zh-CN");
  EXPECT_EQ(diary.device.id.reveal(), "d-77");
  EXPECT_EQ(diary.device.utc_offset_minutes, 480);
  EXPECT_EQ(diary.amend_reason.reveal(), "typed 4, meant 5");
  ASSERT_EQ(diary.raw.size(), 5u);
  EXPECT_EQ(outcome.answer("slept-hours").values[0].kind, ValueKind::raw_number);
  EXPECT_EQ(outcome.answer("slept-hours").values[0].text.reveal(), "6.50");
  EXPECT_EQ(outcome.answer("took").values[0].kind, ValueKind::boolean);
  EXPECT_EQ(outcome.answer("note").values[0].text.reveal(), "a\u00e9");
  EXPECT_TRUE(outcome.answer("skipped").values.empty());
  EXPECT_EQ(diary.raw[4].field, "skipped");
}

TEST(JsonDiary, WhatIsNoJsonIsToldByPlace) {
  const Outcome outcome(std::string("{\"submissionId\":\n 01}"));
  ASSERT_FALSE(outcome.diary.has_value());
  EXPECT_FALSE(outcome.diary.error().parseable);
  EXPECT_EQ(outcome.diary.error().issues.at(0).diagnostics,
            "Not JSON: a number has no leading zero at line 2, column 3 (byte 19).");
}

TEST(JsonDiary, EachMissingOrWrongMemberIsNamed) {
  EXPECT_EQ(Outcome{std::string("[1]")}.faults(), "");
  EXPECT_EQ(Outcome{std::string("{}")}.faults(),
            "trialId subjectId form formVersion authored answers");
  EXPECT_EQ(faults_with("/submissionId", "nope"), "submissionId");
  EXPECT_EQ(faults_with("/submissionId", 7), "submissionId");
  EXPECT_EQ(faults_with("/formVersion", 3), "formVersion formVersion");
  EXPECT_EQ(faults_with("/subjectId", std::string(128, 's')), "none");
  EXPECT_EQ(faults_with("/subjectId", std::string(129, 's')), "subjectId");
  EXPECT_EQ(faults_with("/form", std::string(64, 'f')), "none");
  EXPECT_EQ(faults_with("/form", std::string(65, 'f')), "form");
  EXPECT_EQ(faults_with("/subjectId", std::string("a\0b", 3)), "subjectId");
  EXPECT_EQ(faults_with("/subjectId", ""), "subjectId");
  EXPECT_EQ(faults_with("/answers", Json::array()), "answers");
  EXPECT_EQ(faults_with("/language", "zh CN"), "language");
  EXPECT_EQ(faults_with("/device", 1), "device");
  EXPECT_EQ(faults_with("/device/utcOffsetMinutes", "480"), "device.utcOffsetMinutes");
  EXPECT_EQ(faults_with("/device/utcOffsetMinutes", 480.5), "device.utcOffsetMinutes");
  EXPECT_EQ(faults_with("/device/utcOffsetMinutes", 840), "none");
  EXPECT_EQ(faults_with("/device/utcOffsetMinutes", -841), "device.utcOffsetMinutes");
}

TEST(JsonDiary, AuthoredNeedsATimeAndAnOffset) {
  for (const char* bad :
       {"2026-11-20", "2026-13-20T20:14:05Z", "yesterday", "2026-11-20T24:00:00Z"})
    EXPECT_EQ(faults_with("/authored", bad), "authored") << bad;
  Json diary = evening();
  diary["authored"] = "2026-11-20T20:14:05";
  const Outcome local{diary.dump()};
  ASSERT_TRUE(local.diary.has_value());
  EXPECT_EQ(to_string(local.diary->authored.utc), "2026-11-20T12:14:05.000Z");
  EXPECT_EQ(local.diary->authored.offset_minutes, 480);
  diary.erase("device");
  EXPECT_EQ(Outcome{diary.dump()}.faults(), "authored");
}

TEST(JsonDiary, AnAmendmentNeedsAnIdAndAReason) {
  Json diary = evening();
  diary["amends"] = "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6c";
  EXPECT_EQ(Outcome{diary.dump()}.faults(), "reason");
  diary["reason"] = std::string(1000, 'r');
  EXPECT_EQ(Outcome{diary.dump()}.faults(), "none");
  diary["reason"] = std::string(1001, 'r');
  EXPECT_EQ(Outcome{diary.dump()}.faults(), "reason");
  diary["reason"] = std::string("a\0b", 3);
  EXPECT_EQ(Outcome{diary.dump()}.faults(), "reason");
  diary["reason"] = "why";
  diary["amends"] = diary["submissionId"];
  EXPECT_EQ(Outcome{diary.dump()}.faults(), "amends");
}

TEST(JsonAnswers, CodingsQuantitiesAndListsKeepTheirShape) {
  Json diary = evening();
  diary["answers"] = Json::parse(R"({
    "c":{"system":"s","code":"a","display":"A"}, "q":{"value":70.5,"unit":"kg"},
    "many":["x",{"code":"y"}], "empty":[]})");
  const Outcome outcome{diary.dump()};
  ASSERT_TRUE(outcome.diary.has_value()) << outcome.faults();
  const auto& coding = outcome.answer("c");
  EXPECT_EQ(coding.values[0].kind, ValueKind::coding);
  EXPECT_EQ(coding.values[0].text.reveal(), "a");
  EXPECT_EQ(coding.values[0].system.reveal(), "s");
  EXPECT_EQ(coding.rows.size(), 1u) << "a row with questions named code and system is possible";
  const auto& quantity = outcome.answer("q");
  EXPECT_EQ(quantity.values[0].kind, ValueKind::quantity);
  EXPECT_EQ(quantity.values[0].text.reveal(), "70.5");
  EXPECT_EQ(quantity.values[0].display.reveal(), "kg");
  EXPECT_EQ(outcome.answer("many").values.size(), 2u);
  EXPECT_TRUE(outcome.answer("many").rows.empty());
  EXPECT_TRUE(outcome.answer("empty").is_array);
  EXPECT_TRUE(outcome.answer("empty").values.empty());
}

TEST(JsonAnswers, RowsOfARepeatingGroupNest) {
  Json diary = evening();
  diary["answers"] = Json::parse(R"({"meals":[
    {"kcal":300,"foods":["rice","egg"]},{"code":"a"},{"parts":[{"g":1},{"g":2}]}]})");
  const Outcome outcome{diary.dump()};
  ASSERT_TRUE(outcome.diary.has_value()) << outcome.faults();
  const auto& meals = outcome.answer("meals");
  EXPECT_TRUE(meals.values.empty()) << "one element is no coding, so none is";
  ASSERT_EQ(meals.rows.size(), 3u);
  EXPECT_EQ(meals.rows[0][1].field, "kcal");
  EXPECT_EQ(meals.rows[0][0].values[1].text.reveal(), "egg");
  EXPECT_EQ(meals.rows[1][0].values[0].text.reveal(), "a");
  EXPECT_EQ(meals.rows[2][0].rows.size(), 2u);
}

TEST(JsonAnswers, ShapesThatMeanNothingAreRefusedByPath) {
  EXPECT_EQ(faults_with("/answers/pain-nrs", Json::parse("[1,null]")), "answers.pain-nrs");
  EXPECT_EQ(faults_with("/answers/pain-nrs", Json::parse("[[1]]")), "answers.pain-nrs");
  EXPECT_EQ(faults_with("/answers/m", Json::parse(R"([1,{"kcal":1}])")), "answers.m");
  EXPECT_EQ(faults_with("/answers/m", Json::parse(R"([{"k":[null]}])")), "answers.m[0].k");
}

TEST(JsonAnswers, ANumberHasAtMostSixtyFourCharacters) {
  const auto with = [](const std::string& digits) {
    std::string text = evening().dump();
    text.replace(text.find(":4"), 2, ":" + digits);
    return Outcome{text}.faults();
  };
  EXPECT_EQ(with(std::string(64, '1')), "none");
  EXPECT_EQ(with(std::string(65, '1')), "answers.pain-nrs");
}

TEST(JsonAnswers, NoMoreThanOneHundredFaultsAreListed) {
  Json diary = evening();
  for (int i = 0; i < 300; ++i) diary["answers"]["f" + std::to_string(i)] = Json::parse("[null]");
  const Outcome outcome{diary.dump()};
  ASSERT_FALSE(outcome.diary.has_value());
  EXPECT_EQ(outcome.diary.error().issues.size(), 101u);
}

TEST(JsonAnswers, NaughtyStringsSurviveByteForByte) {
  const std::filesystem::path path = corpora() + "/strings/blns.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "corpus absent: " << path;
  std::ifstream in(path);
  const Json strings = Json::parse(in);
  ASSERT_EQ(strings.size(), 515u);
  for (const auto& naughty : strings) {
    Json diary = evening();
    diary["answers"] = {{"note", naughty}};
    for (const bool ascii : {false, true}) {
      const Outcome outcome(diary.dump(-1, ' ', ascii));
      ASSERT_TRUE(outcome.diary.has_value()) << outcome.faults();
      EXPECT_EQ(outcome.answer("note").values[0].text.reveal(), naughty.get<std::string>());
    }
  }
}

}  // namespace
}  // namespace vesper
