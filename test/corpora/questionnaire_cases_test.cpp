// Goal: our verdict on the public questionnaire cases is their author's, or the difference is
// argued. Method: every case of corpora/fhir-questionnaire is compiled, decoded and judged as
// `vesper check` does; the table docs/reference/questionnaire-cases.md names each case that
// differs.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "stages/catalog/questionnaire.hpp"
#include "stages/decode/decoder.hpp"
#include "stages/fhir/check/judge.hpp"
#include "stages/fhir/check/plan.hpp"

namespace vesper {
namespace {

namespace fs = std::filesystem;

fs::path source() {
  const char* set = std::getenv("VESPER_SOURCE");
  return set == nullptr ? fs::current_path() : fs::path(set);
}

fs::path cases() {
  const char* set = std::getenv("VESPER_CORPORA");
  return (set == nullptr ? source() / "../shared/corpora" : fs::path(set)) / "fhir-questionnaire";
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

struct Verdict {
  bool valid = false;
  Issues issues;
};

Verdict judge(const std::string& questionnaire, const std::string& response) {
  CompiledForm compiled = compile_form(questionnaire);
  EXPECT_TRUE(compiled.usable);
  Issues issues;
  compiled.form.check_plan = make_check_plan(compiled.form, issues);
  issues.clear();
  Arena arena;
  const auto diary = Decoder{}.decode(MediaType::fhir, response, arena, Strictness::form_only);
  if (!diary) {
    EXPECT_TRUE(diary.error().parseable);
    return {false, diary.error().issues};
  }
  issues = judge_response(compiled.form, *diary);
  const bool valid = std::ranges::none_of(issues, is_fault);
  return {valid, std::move(issues)};
}

// The cases that the table says we judge differently: `| name | author | Vesper | why |`.
std::map<std::string, bool> argued() {
  std::map<std::string, bool> ours;
  std::stringstream table(content(source() / "docs/reference/questionnaire-cases.md"));
  for (std::string line; std::getline(table, line);) {
    std::vector<std::string> cells;
    std::stringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) {
      const auto first = cell.find_first_not_of(" `"), last = cell.find_last_not_of(" `");
      cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
    }
    if (cells.size() >= 5 && (cells[3] == "valid" || cells[3] == "invalid") && cells[2] != cells[3])
      ours[cells[1]] = cells[3] == "valid";
  }
  return ours;
}

std::string shown(const Issues& issues) {
  std::string text;
  for (const auto& issue : issues) text += "\n  " + issue.expression + ": " + issue.diagnostics;
  return text;
}

// Negative control: a judge that lets a planted fault pass would agree with nobody below.
TEST(QuestionnaireCases, APlantedFaultTurnsAValidCaseInvalid) {
  if (!fs::exists(cases() / "index.json")) GTEST_SKIP() << "corpus absent: fhir-questionnaire";
  const auto form = content(cases() / "decimal-q.json");
  auto response = nlohmann::json::parse(content(cases() / "decimal-qr.json"));
  EXPECT_TRUE(judge(form, response.dump()).valid);
  response["item"][0]["answer"].push_back(response["item"][0]["answer"][0]);
  const auto verdict = judge(form, response.dump());
  EXPECT_FALSE(verdict.valid);
  ASSERT_EQ(verdict.issues.size(), 1U);
  EXPECT_EQ(verdict.issues[0].expression, "QuestionnaireResponse.item[0]");
}

TEST(QuestionnaireCases, EveryVerdictIsTheAuthorsOrArguedInTheTable) {
  if (!fs::exists(cases() / "index.json")) GTEST_SKIP() << "corpus absent: fhir-questionnaire";
  const auto index = nlohmann::json::parse(content(cases() / "index.json"));
  auto differences = argued();
  std::size_t count = 0;
  for (const auto& one : index) {
    const std::string name = one.at("name");
    SCOPED_TRACE(name);
    ASSERT_EQ(one.at("questionnaire").size(), 1U);
    const auto verdict = judge(content(cases() / one["questionnaire"][0].get<std::string>()),
                               content(cases() / one["response"].get<std::string>()));
    const bool author = one.at("expect_valid");
    const auto difference = differences.find(name);
    const bool expected = difference == differences.end() ? author : difference->second;
    EXPECT_EQ(verdict.valid, expected) << shown(verdict.issues);
    if (difference != differences.end()) {
      EXPECT_NE(expected, author) << "the table argues a difference that is none";
      differences.erase(difference);
    }
    ++count;
  }
  EXPECT_EQ(count, 49U);
  for (const auto& [name, valid] : differences)
    ADD_FAILURE() << "the table names a case that there is not: " << name;
}

}  // namespace
}  // namespace vesper
