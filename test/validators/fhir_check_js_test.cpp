// Goal: libraries of others (npm @medplum/core and fhir) find no fault in our bundles.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "validators/validator_process.hpp"

namespace vesper::validators {
namespace {

using nlohmann::json;

constexpr int random_bundles = 40;
constexpr const char* command = "node fhir-check-js/check.mjs";

bool installed() {
  return has_program("node") &&
         std::filesystem::exists(source_folder() + "/tools/fhir-check-js/node_modules/fhir");
}

std::string errors_in(const json& result) {
  std::string out;
  for (const auto& issue : result["issues"])
    if (issue["severity"] == "error") out += issue.dump() + "\n";
  return out;
}

TEST(FhirCheckJs, FindsNoErrorInAnyBundle) {
  if (!installed()) GTEST_SKIP() << "node or the packages of tools/fhir-check-js are not installed";
  std::vector<Document> bundles = documents(random_bundles);
  std::erase_if(bundles, [](const Document& d) { return d.name.ends_with("(form)"); });
  const auto results = validate(command, bundles);
  ASSERT_EQ(results.size(), bundles.size());
  for (std::size_t i = 0; i < results.size(); ++i)
    EXPECT_EQ(errors_in(results[i]), "") << bundles[i].name;
}

// Negative control: the validators look at what is inside the entries.
TEST(FhirCheckJs, FindsPlantedFaults) {
  if (!installed()) GTEST_SKIP() << "node or the packages of tools/fhir-check-js are not installed";
  const std::vector<Document> all = documents(0);
  const auto sound = std::ranges::find(all, "evening-diary.case.json", &Document::name);
  ASSERT_NE(sound, all.end());
  std::vector<Document> planted;
  for (const auto& [from, to] :
       {std::pair{R"("status":"final")", R"("status":"done")"},
        std::pair{R"("linkId")", R"("linkID")"}, std::pair{R"("recorded")", R"("recordedAt")"}}) {
    std::string broken = sound->json;
    broken.replace(broken.find(from), std::string_view{from}.size(), to);
    planted.push_back({from, broken});
  }
  const auto results = validate(command, planted);
  ASSERT_EQ(results.size(), planted.size());
  for (std::size_t i = 0; i < results.size(); ++i)
    EXPECT_NE(errors_in(results[i]), "") << planted[i].name;
}

}  // namespace
}  // namespace vesper::validators
