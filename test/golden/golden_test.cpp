// Goal: a bundle never changes once its mapper version is in use: it is rebuilt from the source at
//       every delivery and every GET, by whatever build is running then.
// Method: each case file goes through the real stages, and its bundle is compared byte for byte.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "golden/pipeline.hpp"
#include "stages/fhir/bundle/bundle.hpp"

namespace vesper::golden {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path folder() {
  const char* source = std::getenv("VESPER_SOURCE");
  return fs::path{source != nullptr ? source : "."} / "test/golden" /
         ("mapper-" + std::to_string(mapper_version));
}

std::string content_of(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator{folder()}) {
    const std::string name = entry.path().filename();
    constexpr std::string_view end = ".case.json";
    if (name.ends_with(end)) names.push_back(name.substr(0, name.size() - end.size()));
  }
  std::ranges::sort(names);
  return names;
}

json case_of(const std::string& name) {
  return json::parse(content_of(folder() / (name + ".case.json")));
}

// A new case has no bundle yet: VESPER_GOLDEN=new writes it, and never touches one that exists.
void keep_if_new(const std::string& name, const std::string& bundle) {
  const fs::path path = folder() / (name + ".bundle.json");
  const char* wish = std::getenv("VESPER_GOLDEN");
  if (wish == nullptr || std::string_view{wish} != "new" || fs::exists(path)) return;
  std::ofstream{path, std::ios::binary} << bundle << '\n';
}

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, GivesTheBundleThatWasOwed) {
  const Outcome outcome = run(case_of(GetParam()));
  for (const Issue& issue : outcome.issues)
    EXPECT_FALSE(is_fault(issue)) << issue.expression << ": " << issue.diagnostics;
  keep_if_new(GetParam(), outcome.bundle);
  EXPECT_EQ(content_of(folder() / (GetParam() + ".bundle.json")), outcome.bundle + "\n");
}

TEST_P(Golden, GivesItAgainTheSecondTime) {
  const json description = case_of(GetParam());
  EXPECT_EQ(run(description).bundle, run(description).bundle);
}

// What a server needs to take the bundle twice and store it once: only PUTs, to addresses that are
// all different, and no reference to anything else but what an answer itself refers to.
TEST_P(Golden, IsIdempotentAndRefersOnlyToItself) {
  const json bundle = json::parse(run(case_of(GetParam())).bundle);
  std::set<std::string> addresses, urls;
  for (const auto& entry : bundle.at("entry")) {
    const std::string type = entry["resource"]["resourceType"], id = entry["resource"]["id"];
    EXPECT_EQ(entry["request"]["method"], "PUT");
    EXPECT_EQ(entry["request"]["url"], type + "/" + id);
    EXPECT_FALSE(entry["request"].contains("ifNoneExist"));
    EXPECT_TRUE(addresses.insert(entry["request"]["url"]).second);
    EXPECT_TRUE(urls.insert(entry["fullUrl"]).second);
  }
  EXPECT_EQ(bundle["entry"][0]["resource"]["resourceType"], "QuestionnaireResponse");
  const std::function<void(const json&)> walk = [&](const json& node) {
    if (!node.is_structured()) return;
    for (const auto& [name, child] : node.items()) {
      if (name == "valueReference") continue;
      if (name == "reference") EXPECT_TRUE(addresses.contains(child)) << child;
      walk(child);
    }
  };
  walk(bundle);
}

std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name;
  for (char c : info.param) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Mapper1, Golden, ::testing::ValuesIn(case_names()), test_name);

TEST(GoldenFolder, HasACaseForEveryBundle) {
  std::size_t bundles = 0;
  for (const auto& entry : fs::directory_iterator{folder()})
    bundles += entry.path().string().ends_with(".bundle.json") ? 1u : 0u;
  EXPECT_GE(bundles, 15u);
  EXPECT_EQ(bundles, case_names().size());
}

// Negative control: the comparison above sees a change of one byte in what determines a bundle.
TEST(GoldenFolder, AnotherDeliveryIdGivesOtherBytes) {
  json description = case_of("evening-diary");
  const std::string owed = run(description).bundle;
  description["deliveryId"] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  EXPECT_NE(run(description).bundle, owed);
}

}  // namespace
}  // namespace vesper::golden
