#include "stages/catalog/publication.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "stages/catalog/timezones.hpp"

namespace vesper {
namespace {

using Json = nlohmann::json;
using Verdict = Publication::Verdict;

Json form(const std::string& id, const std::string& version) {
  Json made = Json::parse(R"({"questionnaire":{"resourceType":"Questionnaire","status":"active",
    "item":[{"linkId":"a","type":"integer"},
            {"linkId":"c","type":"choice","answerOption":[{"valueCoding":{"code":"x"}}]},
            {"linkId":"d","type":"display"}]}})");
  made["id"] = id;
  made["version"] = version;
  made["questionnaire"]["url"] = "http://forms.example/" + id;
  made["questionnaire"]["version"] = version;
  return made;
}

Json document() {
  Json made = Json::parse(R"({"id":"T-1","title":"Trial","status":"active",
    "timezone":"Asia/Shanghai","destinations":["default"],"sites":[{"id":"S1","name":"One"}]})");
  made["forms"] = Json::array({form("f", "1")});
  return made;
}

Publication judge(const Json& json, const Trial* previous = nullptr) {
  return judge_publication(previous, json.dump(), {});
}

// Paths of the faults; `ok` when it is accepted.
std::string faults(const Publication& publication) {
  std::string paths;
  for (const auto& issue : publication.issues)
    if (is_fault(issue)) paths += (paths.empty() ? "" : " ") + issue.expression;
  return publication.verdict == Verdict::accepted ? "ok" : paths;
}

std::string faults_with(const char* pointer, Json value) {
  Json json = document();
  json[Json::json_pointer(pointer)] = std::move(value);
  return faults(judge(json));
}

TEST(Publication, AFirstDocumentIsRevisionOne) {
  const std::string text = document().dump();
  const auto publication = judge_publication(nullptr, text, {});
  ASSERT_EQ(publication.verdict, Verdict::accepted) << faults(publication);
  const Trial& trial = *publication.trial;
  EXPECT_EQ(trial.id, "T-1");
  EXPECT_EQ(trial.revision, 1u);
  EXPECT_EQ(trial.etag, etag_of(text, 1));
  EXPECT_EQ(trial.document, text);
  EXPECT_EQ(trial.destinations, std::vector<std::string>{"default"});
  EXPECT_EQ(trial.sites.at(0).name, "One");
  EXPECT_EQ(trial.forms_in_force, 1u);
  ASSERT_NE(trial.find("f", "1"), nullptr);
  EXPECT_NE(trial.find_canonical("http://forms.example/f", "1"), nullptr);
  EXPECT_EQ(trial.find("f", "1")->index_of_field("c"), 1u);
  EXPECT_EQ(trial.find("f", "1")->index_of_field("d"), no_item) << "a display item has no field";
}

TEST(Publication, EveryFaultIsReportedByPath) {
  EXPECT_EQ(judge_publication(nullptr, "{", {}).verdict, Verdict::malformed);
  EXPECT_EQ(faults(judge(Json::array())), "");
  EXPECT_EQ(faults(judge(Json::object())), "id timezone destinations forms");
  EXPECT_EQ(faults_with("/id", std::string(64, 'i')), "ok");
  EXPECT_EQ(faults_with("/id", std::string(65, 'i')), "id");
  EXPECT_EQ(faults_with("/id", "a/b"), "id");
  EXPECT_EQ(faults_with("/status", "open"), "status");
  EXPECT_EQ(faults_with("/timezone", "Mars/Olympus"), "timezone");
  EXPECT_EQ(faults_with("/subjectSystem", "urn:s"), "ok");
  EXPECT_EQ(faults_with("/subjectSystem", "subjects"), "subjectSystem");
  EXPECT_EQ(faults_with("/forms/0/questionnaire/url", "a|b"), "forms[0].questionnaire.url");
  EXPECT_EQ(faults_with("/sites/0/timezone", "Europe/Zurich"), "ok");
  EXPECT_EQ(faults_with("/sites/0/timezone", "zurich"), "sites[0].timezone");
  EXPECT_EQ(faults_with("/sites/1", Json{{"id", "S1"}}), "sites[1].id");
  EXPECT_EQ(faults_with("/destinations", Json::array()), "ok");
  EXPECT_EQ(faults_with("/destinations/1", "default"), "destinations[1]");
  EXPECT_EQ(faults_with("/forms/0/version", "2"), "forms[0].questionnaire.version");
  EXPECT_EQ(faults_with("/forms/1", form("f", "1")), "forms[1] forms[1].questionnaire.url");
  EXPECT_EQ(faults_with("/forms/0/questionnaire/item/0/type", "x"),
            "forms[0].questionnaire.item[0].type");
  EXPECT_EQ(faults_with("/forms/0/onInvalid", "drop"), "forms[0].onInvalid");
  EXPECT_EQ(faults_with("/rates", Json{{"patientPerMinute", 0}}), "rates.patientPerMinute");
  EXPECT_EQ(faults_with("/rates", Json{{"patientPerDay", 1.5}}), "rates.patientPerDay");
  EXPECT_EQ(faults_with("/rates", Json{{"trialPerSecond", 2.5}, {"patientPerDay", 4}}), "ok");
}

TEST(Publication, UnknownMembersOnlyWarn) {
  Json json = document();
  json["sponsor"] = "x";
  json["forms"][0]["colour"] = "blue";
  json["forms"][0]["questionnaire"]["item"][0]["require"] = true;
  const auto publication = judge(json);
  EXPECT_EQ(publication.verdict, Verdict::accepted);
  ASSERT_EQ(publication.issues.size(), 3u);
  EXPECT_EQ(publication.issues[2].expression, "forms[0].questionnaire.item[0].require");
  EXPECT_EQ(publication.issues[0].expression, "sponsor");
  EXPECT_EQ(publication.issues[0].severity, Severity::warning);
}

TEST(Publication, FieldsRenameLinkIds) {
  Json json = document();
  json["forms"][0]["fields"] = {{"pain", "a"}};
  const auto publication = judge(json);
  ASSERT_EQ(publication.verdict, Verdict::accepted) << faults(publication);
  const Form* made = publication.trial->find("f", "1");
  EXPECT_EQ(made->index_of_field("pain"), 0u);
  EXPECT_EQ(made->index_of_field("a"), no_item);
  EXPECT_EQ(made->index_of_field("c"), 1u);
  EXPECT_EQ(faults_with("/forms/0/fields", Json{{"x", "nowhere"}}), "forms[0].fields.x");
  EXPECT_EQ(faults_with("/forms/0/fields", Json{{"x", "a"}, {"y", "a"}}), "forms[0].fields.y");
  EXPECT_EQ(faults_with("/forms/0/fields", Json{{"x", "d"}}), "forms[0].fields.x");
  EXPECT_EQ(faults_with("/forms/0/fields", Json{{"c", "a"}}), "forms[0].fields");
  EXPECT_EQ(faults_with("/forms/0/fields", Json{{"c", "a"}, {"a", "c"}}), "ok");
}

TEST(Publication, WindowsAndScoresAreJudged) {
  const auto window = [](const char* opens, Json grace) {
    return faults_with(
        "/forms/0/windows",
        Json::array({{{"opens", opens}, {"closes", "23:59"}, {"graceMinutes", std::move(grace)}}}));
  };
  EXPECT_EQ(window("18:00", 10080), "ok");
  EXPECT_EQ(window("18:00", 10081), "forms[0].windows[0].graceMinutes");
  EXPECT_EQ(window("24:00", 0), "forms[0].windows[0].opens");
  EXPECT_EQ(window("9:00", 0), "forms[0].windows[0].opens");
  const auto score = [](Json items, Json low) {
    return faults_with(
        "/forms/0/scores",
        Json::array({{{"id", "s"},
                      {"code", {{"system", "y"}, {"code", "z"}}},
                      {"items", std::move(items)},
                      {"bands", Json::array({{{"low", std::move(low)},
                                              {"high", 4},
                                              {"code", {{"system", "y"}, {"code", "b"}}}}})}}}));
  };
  EXPECT_EQ(score({"a"}, 0), "ok");
  EXPECT_EQ(score({"a", "a"}, 0), "forms[0].scores[0].items[1]");
  EXPECT_EQ(score({"c"}, 0), "forms[0].scores[0].items[0]") << "an option without a score";
  EXPECT_EQ(score({"nowhere"}, 0), "forms[0].scores[0].items[0]");
  EXPECT_EQ(score(Json::array(), 0), "forms[0].scores[0].items");
  EXPECT_EQ(score({"a"}, 5), "forms[0].scores[0].bands[0]");
}

TEST(Publication, TheServersOwnFactsAreJudged) {
  const std::vector<std::string> configured = {"default"};
  PublicationRules rules{.trial_id = "T-1", .destinations = &configured};
  Json json = document();
  EXPECT_EQ(faults(judge_publication(nullptr, json.dump(), rules)), "ok");
  json["destinations"] = {"elsewhere"};
  EXPECT_EQ(faults(judge_publication(nullptr, json.dump(), rules)), "destinations[0]");
  rules.trial_id = "T-2";
  EXPECT_EQ(faults(judge_publication(nullptr, json.dump(), rules)), "id destinations[0]");
}

TEST(Publication, APublishedFormVersionNeverChanges) {
  const auto first = judge(document());
  Json changed = document();
  changed["forms"][0]["questionnaire"]["item"][0]["text"] = "other";
  const auto publication = judge(changed, first.trial.get());
  EXPECT_EQ(publication.verdict, Verdict::conflict);
  EXPECT_EQ(faults(publication), "forms[0]");
  EXPECT_EQ(publication.issues[0].kind, IssueKind::conflict);
  changed = document();
  changed["forms"][0]["fields"] = {{"pain", "a"}};
  EXPECT_EQ(judge(changed, first.trial.get()).verdict, Verdict::conflict);
  changed = document();
  changed["forms"][0]["onInvalid"] = "hold";
  EXPECT_EQ(judge(changed, first.trial.get()).verdict, Verdict::conflict);
  changed = document();
  changed["forms"][0]["windows"] = {{{"opens", "18:00"}, {"closes", "23:00"}}};
  EXPECT_EQ(judge(changed, first.trial.get()).verdict, Verdict::conflict);
}

TEST(Publication, EqualContentInOtherWordsOfJsonIsNoChange) {
  const auto first = judge(document());
  const auto again = judge_publication(first.trial.get(), document().dump(4), {});
  ASSERT_EQ(again.verdict, Verdict::accepted) << faults(again);
  EXPECT_EQ(again.trial->forms[0], first.trial->forms[0]) << "the compiled form is shared";
  EXPECT_EQ(again.trial->revision, 2u);
  EXPECT_NE(again.trial->etag, first.trial->etag);
}

TEST(Publication, AFormLeftOutIsKeptForEver) {
  const auto first = judge(document());
  Json json = document();
  json["forms"] = Json::array({form("f", "2")});
  json["subjectSystem"] = "urn:s";
  const auto second = judge(json, first.trial.get());
  ASSERT_EQ(second.verdict, Verdict::accepted) << faults(second);
  EXPECT_EQ(second.trial->forms_in_force, 1u);
  EXPECT_EQ(second.trial->forms.size(), 2u);
  EXPECT_EQ(second.trial->forms[0]->version, "2");
  EXPECT_NE(second.trial->find("f", "1"), nullptr);
  EXPECT_EQ(second.trial->subject_systems, (std::vector<std::string>{"", "urn:s"}));
  Json back = document();
  back["forms"][0]["questionnaire"]["item"][0]["type"] = "text";
  EXPECT_EQ(judge(back, second.trial.get()).verdict, Verdict::conflict);
  EXPECT_EQ(judge(document(), second.trial.get()).verdict, Verdict::accepted);
  Json stolen = document();
  stolen["forms"] = Json::array({form("g", "1")});
  stolen["forms"][0]["questionnaire"]["url"] = "http://forms.example/f";
  EXPECT_EQ(judge(stolen, second.trial.get()).verdict, Verdict::conflict);
}

TEST(Publication, PlansAreAttachedOnceAForm) {
  int prepared = 0;
  const PublicationRules rules{.prepare = [&](Form&) { ++prepared; }};
  const auto first = judge_publication(nullptr, document().dump(), rules);
  Json json = document();
  json["forms"].push_back(form("g", "1"));
  json["title"] = "Other";
  EXPECT_EQ(judge_publication(first.trial.get(), json.dump(), rules).verdict, Verdict::accepted);
  EXPECT_EQ(prepared, 2);
}

TEST(Publication, WhatWasStoredStaysInForceUnderStricterRules) {
  TrialRow row{.trial_id = "T-1",
               .revision = 7,
               .document = {},
               .published_by = {},
               .reason = {},
               .published_at = {}};
  Json json = document();
  json["timezone"] = "Gone/Zone";
  row.document = json.dump();
  Issues issues;
  const auto trial = restore_trial(nullptr, row, {}, issues);
  ASSERT_NE(trial, nullptr);
  EXPECT_EQ(trial->revision, 7u);
  EXPECT_NE(trial->find("f", "1"), nullptr);
  EXPECT_FALSE(issues.empty());
  EXPECT_EQ(trial->subject_systems.size(), 7u);
  row.document = "[";
  EXPECT_EQ(restore_trial(nullptr, row, {}, issues), nullptr);
}

TEST(Snapshot, OneTrialReplacesItselfAndLeavesTheRest) {
  Json other = document();
  other["id"] = "T-2";
  const auto first = judge(document());
  const auto base = make_snapshot({first.trial, judge(other).trial});
  const auto second = judge(document(), first.trial.get());
  const auto next = make_snapshot(base.get(), second.trial);
  EXPECT_EQ(next->generation, base->generation + 1);
  EXPECT_EQ(next->find("T-1")->revision, 2u);
  EXPECT_EQ(base->find("T-1")->revision, 1u) << "a snapshot never changes";
  EXPECT_EQ(next->find("T-2"), base->find("T-2"));
  EXPECT_EQ(next->find("T-3"), nullptr);
}

TEST(Timezones, AreNamesOfTheDatabase) {
  for (const char* zone : {"Asia/Shanghai", "UTC", "Europe/Zurich", "America/Argentina/Ushuaia"})
    EXPECT_TRUE(is_timezone(zone)) << zone;
  for (const char* other : {"", " ", "asia/shanghai", "Asia", "Asia/Shanghai ", "urope/Zurich"})
    EXPECT_FALSE(is_timezone(other)) << other;
}

std::string demo(const std::string& name) {
  const char* source = std::getenv("VESPER_SOURCE");
  std::ifstream in(std::string(source == nullptr ? "." : source) + "/deploy/demo/" + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Demonstration, ItsTrialsPublishWithoutAWarning) {
  for (const char* name : {"trial.json", "bench-trial.json"}) {
    const auto publication = judge_publication(nullptr, demo(name), {});
    ASSERT_EQ(publication.verdict, Verdict::accepted) << name << " " << faults(publication);
    EXPECT_TRUE(publication.issues.empty()) << publication.issues[0].diagnostics;
  }
  const auto trial = judge_publication(nullptr, demo("trial.json"), {}).trial;
  const Form* phq = trial->find("phq-9", "1");
  ASSERT_NE(phq, nullptr);
  EXPECT_EQ(phq->scores.at(0).items.size(), 9u);
  EXPECT_EQ(phq->scores[0].bands.size(), 5u);
  const FormItem& last = phq->items[phq->index_of("phq-9-9")];
  EXPECT_EQ(last.options.size(), 4u);
  EXPECT_EQ(last.options[3].score, "3");
  EXPECT_TRUE(last.extract);
  EXPECT_EQ(last.codes.at(0).code, "44260-8");
}

// A thousand trials of the demonstration's size; the bound is the work, not the clock.
TEST(Snapshot, AThousandTrialsAreBuiltFromTheirDocuments) {
  const std::string text = demo("trial.json");
  ASSERT_FALSE(text.empty());
  std::vector<std::shared_ptr<const Trial>> trials;
  for (int i = 0; i < 1000; ++i) {
    Issues issues;
    const TrialRow row{.trial_id = "T-" + std::to_string(i),
                       .revision = 1,
                       .document = text,
                       .published_by = {},
                       .reason = {},
                       .published_at = {}};
    trials.push_back(restore_trial(nullptr, row, {}, issues));
  }
  const auto snapshot = make_snapshot(std::move(trials));
  EXPECT_EQ(snapshot->trials.size(), 1000u);
  EXPECT_NE(snapshot->find("T-999")->find("phq-9", "1"), nullptr);
}

}  // namespace
}  // namespace vesper
