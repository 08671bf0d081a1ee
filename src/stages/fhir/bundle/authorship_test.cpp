#include <gtest/gtest.h>

#include "stages/fhir/bundle/bundle_fixture.hpp"
#include "stages/fhir/bundle/ids.hpp"

namespace vesper {
namespace {

using namespace bundle_fixture;
using nlohmann::json;

Form two_ratings_and_their_total() {
  FormDraft draft;
  draft.add(extracted("a", ItemType::integer, "a"));
  draft.add(extracted("b", ItemType::integer, "b"));
  draft.add(extracted("c", ItemType::integer, "c"));
  draft.form().scores.push_back(
      {.id = "total",
       .code = {"https://trial.example/codes", {}, "total", "Total"},
       .items = {0, 1},
       .unit = {},
       .bands = {{"0", "9", {"https://trial.example/bands", {}, "low", "Low"}},
                 {"10", "20", {"https://trial.example/bands", {}, "high", "High"}}}});
  return draft.finish();
}

void answer_two(Sheet& sheet) {
  sheet.answer({sheet.item("a", {typed(ValueKind::integer, "4")}),
                sheet.item("b", {typed(ValueKind::integer, "7")}),
                sheet.item("c", {typed(ValueKind::integer, "1")})});
}

json provenance_of(Sheet& sheet) {
  return resources(sheet.json(), "Provenance").at(0);
}

TEST(BundleScore, IsAnObservationDerivedFromWhatItSums) {
  const Form form = two_ratings_and_their_total();
  Sheet sheet{form};
  answer_two(sheet);
  const ScoreSum sum{&form.scores[0], PatientText{"11"}, &form.scores[0].bands[1]};
  sheet.input.scores = {&sum, 1};
  const auto observations = resources(sheet.json(), "Observation");
  ASSERT_EQ(observations.size(), 4u);
  const json& total = observations[3];
  const Uuid delivery = sheet.input.delivery_id;
  EXPECT_EQ(total["id"], to_string(score_observation_id(delivery, "total")));
  EXPECT_EQ(total["valueInteger"], 11);
  EXPECT_EQ(total["interpretation"],
            json::parse(R"([{"coding":[{"system":"https://trial.example/bands","code":"high",
                                        "display":"High"}]}])"));
  ASSERT_EQ(total["derivedFrom"].size(), 3u);
  EXPECT_EQ(total["derivedFrom"][1]["reference"],
            "Observation/" + to_string(observation_id(delivery, "a", 0)));
  EXPECT_EQ(total["derivedFrom"][2]["reference"],
            "Observation/" + to_string(observation_id(delivery, "b", 0)));
  EXPECT_EQ(provenance_of(sheet)["target"].size(), 5u);
}

TEST(BundleScore, OutsideEveryBandHasNoInterpretation) {
  const Form form = two_ratings_and_their_total();
  Sheet sheet{form};
  answer_two(sheet);
  const ScoreSum sum{&form.scores[0], PatientText{"11.5"}, nullptr};
  sheet.input.scores = {&sum, 1};
  const json total = resources(sheet.json(), "Observation").at(3);
  EXPECT_FALSE(total.contains("interpretation"));
  EXPECT_EQ(total["valueQuantity"], json::parse(R"({"value":11.5})"));
}

TEST(BundleStatus, AnAmendmentAmendsEverythingAndCitesTheOriginal) {
  const Form form = two_ratings_and_their_total();
  Sheet sheet{form};
  answer_two(sheet);
  sheet.diary.amends = parse_uuid("019aaf0e-0000-7b52-a3b0-1d2c3e4f5a6b");
  sheet.diary.amend_reason = PatientText{"slip of the finger"};
  EXPECT_EQ(resources(sheet.json(), "QuestionnaireResponse").at(0)["status"], "amended");
  for (const json& observation : resources(sheet.json(), "Observation"))
    EXPECT_EQ(observation["status"], "amended");
  const json provenance = provenance_of(sheet);
  EXPECT_EQ(provenance["activity"]["coding"][0]["code"], "UPDATE");
  EXPECT_EQ(provenance["reason"][0]["text"], "slip of the finger");
  EXPECT_EQ(provenance["entity"][2]["role"], "revision");
  EXPECT_EQ(provenance["entity"][2]["what"]["identifier"]["value"],
            "urn:uuid:019aaf0e-0000-7b52-a3b0-1d2c3e4f5a6b");
}

TEST(BundleStatus, NothingIsObservedBeforeCompletion) {
  const Form form = two_ratings_and_their_total();
  for (const auto& [status, code] :
       {std::pair{ResponseStatus::in_progress, "in-progress"},
        std::pair{ResponseStatus::stopped, "stopped"},
        std::pair{ResponseStatus::entered_in_error, "entered-in-error"}}) {
    Sheet sheet{form};
    answer_two(sheet);
    const ScoreSum sum{&form.scores[0], PatientText{"11"}, nullptr};
    sheet.input.scores = {&sum, 1};
    sheet.diary.status = status;
    EXPECT_TRUE(resources(sheet.json(), "Observation").empty()) << code;
    EXPECT_EQ(resources(sheet.json(), "QuestionnaireResponse").at(0)["status"], code);
  }
}

TEST(BundleAuthor, IsWhoeverTheTokenNames) {
  const Form form = two_ratings_and_their_total();
  for (const auto& [author, type] :
       {std::pair{Author::site, "Practitioner"}, std::pair{Author::service, "Organization"}}) {
    Sheet sheet{form};
    answer_two(sheet);
    sheet.input.author = author;
    sheet.input.issuer = "https://id.example";
    sheet.input.caller_subject = PatientText{"nurse \"7\""};
    const json who{{"type", type},
                   {"identifier", {{"system", "https://id.example"}, {"value", "nurse \"7\""}}}};
    const json response = resources(sheet.json(), "QuestionnaireResponse").at(0);
    EXPECT_EQ(response["author"], who);
    EXPECT_FALSE(response.contains("source"));
    EXPECT_EQ(response["subject"]["identifier"]["value"], "S-000123");
    EXPECT_EQ(resources(sheet.json(), "Observation").at(0)["performer"][0], who);
    EXPECT_EQ(provenance_of(sheet)["agent"][0]["who"], who);
    EXPECT_EQ(provenance_of(sheet)["agent"][0]["onBehalfOf"], response["subject"]);
  }
}

TEST(BundleAuthor, FollowsTheScopesOfTheToken) {
  Scopes scopes;
  scopes.add(Scope::service);
  EXPECT_EQ(author_of(scopes), Author::service);
  scopes.add(Scope::site);
  EXPECT_EQ(author_of(scopes), Author::site);
  scopes.add(Scope::patient);
  EXPECT_EQ(author_of(scopes), Author::patient);
}

TEST(BundleSystem, IsAlwaysAnAbsoluteUri) {
  const Form form = two_ratings_and_their_total();
  const auto system_for = [&](std::string_view trial, std::string_view system) {
    Sheet sheet{form};
    sheet.input.trial_id = trial;
    sheet.input.subject_system = system;
    return resources(sheet.json(), "QuestionnaireResponse")
        .at(0)["subject"]["identifier"]["system"]
        .get<std::string>();
  };
  EXPECT_EQ(system_for("A 1/ü", ""), "urn:vesper:trial:A%201%2F%C3%BC:subject");
  EXPECT_EQ(system_for("T", "https://trial.example/subjects"), "https://trial.example/subjects");
  EXPECT_EQ(system_for("T", "urn:oid:2.16.840"), "urn:oid:2.16.840");
  EXPECT_EQ(system_for("T", "subjects of ours"), "urn:vesper:subject:subjects%20of%20ours");
}

TEST(BundleTime, GetsItsOffsetOrLosesItsTimeOfDay) {
  const Form form = two_ratings_and_their_total();
  struct Case {
    const char* sent;
    std::optional<int> offset;
    const char *authored, *issued;
  };
  for (const Case& c :
       {Case{"2026-11-20T20:14:05", -210, "2026-11-20T20:14:05-03:30", "2026-11-20T20:14:05-03:30"},
        Case{"2026-11-20T20:14:05.5", 840, "2026-11-20T20:14:05.5+14:00",
             "2026-11-20T20:14:05.5+14:00"},
        Case{"2026-11-20T20:14:05Z", 480, "2026-11-20T20:14:05Z", "2026-11-20T20:14:05Z"},
        Case{"2026-11-20T20:14:05", {}, "2026-11-20", ""}, Case{"2026-11", {}, "2026-11", ""}}) {
    Sheet sheet{form};
    answer_two(sheet);
    sheet.diary.authored_text = PatientText{c.sent};
    sheet.diary.authored = *parse_date_time(c.sent);
    if (!sheet.diary.authored.offset_minutes) sheet.diary.authored.offset_minutes = c.offset;
    const json bundle = sheet.json();
    EXPECT_EQ(resources(bundle, "QuestionnaireResponse").at(0)["authored"], c.authored);
    const json observation = resources(bundle, "Observation").at(0);
    EXPECT_EQ(observation["effectiveDateTime"], c.authored);
    EXPECT_EQ(observation.value("issued", ""), c.issued) << c.sent;
  }
}

TEST(BundleLanguage, IsWrittenOnlyWhenItHasTheShapeOfOne) {
  const Form form = two_ratings_and_their_total();
  const auto language = [&](std::string_view tag) {
    Sheet sheet{form};
    sheet.diary.language = tag;
    return resources(sheet.json(), "QuestionnaireResponse").at(0).value("language", "none");
  };
  for (const char* good : {"en", "zh-CN", "zh-Hant-TW", "de-1996"}) EXPECT_EQ(language(good), good);
  for (const char* bad : {"", "e", "en_US", "en-", "-en", "en us", "1en", "abcdefghi", "\"", "ü"})
    EXPECT_EQ(language(bad), "none") << bad;
}

TEST(BundleFlags, BecomeTags) {
  const Form form = two_ratings_and_their_total();
  Sheet sheet{form};
  sheet.input.flags = 7;
  const json meta = resources(sheet.json(), "QuestionnaireResponse").at(0)["meta"];
  ASSERT_EQ(meta["tag"].size(), 3u);
  EXPECT_EQ(meta["tag"][0]["code"], "late");
  EXPECT_EQ(meta["tag"][1]["code"], "duplicate-in-window");
  EXPECT_EQ(meta["tag"][2]["code"], "clock-skew");
}

}  // namespace
}  // namespace vesper
