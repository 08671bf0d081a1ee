// Goal: the reference validator finds no error in our bundles, and warns only of what
//       hapi-warnings.txt lists with its reason.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "validators/validator_process.hpp"

namespace vesper::validators {
namespace {

using nlohmann::json;

constexpr int random_bundles = 120;
constexpr const char* command =
    "java -Xmx512m -XX:+UseSerialGC -cp "
    "'hapi-validator/target/hapi-validator.jar:hapi-validator/target/lib/*' Main";

struct Tolerated {
  std::string id, text;
};

std::vector<Tolerated> tolerated() {
  std::vector<Tolerated> out;
  std::ifstream in{source_folder() + "/test/validators/hapi-warnings.txt"};
  for (std::string line; std::getline(in, line);) {
    const auto bar = line.find(" | ");
    if (line.empty() || line[0] == '#' || bar == std::string::npos) continue;
    out.push_back({line.substr(0, bar), line.substr(bar + 3)});
  }
  return out;
}

bool is_tolerated(const json& issue, const std::vector<Tolerated>& list) {
  const std::string id = issue["id"].is_string() ? issue["id"] : "", text = issue["message"];
  return issue["severity"] == "warning" && std::ranges::any_of(list, [&](const Tolerated& t) {
           return id == t.id && text.find(t.text) != std::string::npos;
         });
}

std::string complaints(const json& result, const std::vector<Tolerated>& list) {
  std::string out;
  for (const auto& issue : result["issues"])
    if (!is_tolerated(issue, list)) out += issue.dump() + "\n";
  return out;
}

class HapiValidator : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_program("java") || !has_program("mvn"))
      GTEST_SKIP() << "java or mvn is not installed (openjdk-17-jdk-headless maven)";
    const std::string build = "'" + source_folder() + "/tools/hapi-validator/build' >&2";
    const int status = std::system(build.c_str());
    if (WIFEXITED(status) && WEXITSTATUS(status) == 75)
      GTEST_SKIP() << "Maven cannot fetch the validator: no network?";
    ASSERT_EQ(status, 0) << "tools/hapi-validator does not build";
  }
};

TEST_F(HapiValidator, FindsNoErrorAndNoUnlistedWarning) {
  const std::vector<Document> all = documents(random_bundles);
  const auto list = tolerated();
  ASSERT_FALSE(list.empty());
  const auto results = validate(command, all);
  ASSERT_EQ(results.size(), all.size());
  for (std::size_t i = 0; i < results.size(); ++i)
    if (!all[i].name.ends_with("(form)"))
      EXPECT_EQ(complaints(results[i], list), "") << all[i].name;
}

// Negative control: it knows the forms, looks inside the entries, and sees links that dangle.
TEST_F(HapiValidator, FindsPlantedFaults) {
  std::vector<Document> all = documents(0);
  const auto at = std::ranges::find(all, "evening-diary.case.json", &Document::name);
  ASSERT_NE(at, all.end());
  const std::string sound = at->json;
  std::erase_if(all, [](const Document& d) { return !d.name.ends_with("(form)"); });
  std::vector<Document> given = all;
  const std::size_t forms = given.size();
  for (const auto& [from, to] :
       {std::pair{R"("status":"final")", R"("status":"done")"},
        std::pair{R"("valueInteger":4)", R"("valueString":"four")"},
        std::pair{R"({"reference":"QuestionnaireResponse/)", R"({"reference":"urn:uuid:0)"},
        std::pair{R"(evening-diary|3)", R"(evening-diary|4)"},
        std::pair{R"("code":"h")", R"("code":"hourz")"}}) {
    std::string broken = sound;
    ASSERT_NE(broken.find(from), std::string::npos) << from;
    broken.replace(broken.find(from), std::string_view{from}.size(), to);
    given.push_back({from, broken});
  }
  const auto results = validate(command, given);
  ASSERT_EQ(results.size(), given.size());
  for (std::size_t i = forms; i < results.size(); ++i)
    EXPECT_NE(complaints(results[i], tolerated()), "") << given[i].name;
}

}  // namespace
}  // namespace vesper::validators
