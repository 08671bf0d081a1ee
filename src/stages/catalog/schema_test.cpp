// Goal: the published schema and the server's reader say the same about which members there are and
// which must be there. Method: what the schema requires is taken away, what it allows only is not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "stages/catalog/publication.hpp"

namespace vesper {
namespace {

using Json = nlohmann::json;

Json load(const std::string& path) {
  const char* source = std::getenv("VESPER_SOURCE");
  std::ifstream in(std::string(source == nullptr ? "." : source) + "/" + path);
  return Json::parse(in);
}

// Paths of all issues, faults and warnings.
std::vector<std::string> paths_of(const Json& document) {
  std::vector<std::string> paths;
  for (const auto& issue : judge_publication(nullptr, document.dump(), {}).issues)
    paths.push_back(issue.expression);
  return paths;
}

// `pointer` leads to the object in the document, `path` is how issues name it.
void compare(const Json& schema, const std::string& pointer, const std::string& path) {
  const Json document = load("deploy/demo/trial.json");
  for (const auto& [name, rule] : schema.at("properties").items()) {
    SCOPED_TRACE(path + name);
    Json without = document;
    Json& owner = without[Json::json_pointer(pointer)];
    const Json needed = schema.value("required", Json::array());
    const bool required = std::ranges::any_of(needed, [&](const Json& n) { return n == name; });
    owner.erase(name);
    const auto missing = paths_of(without);
    EXPECT_EQ(std::ranges::find(missing, path + name) != missing.end(), required);
    owner[name] = Json::parse("[[]]");
    const auto wrong = paths_of(without);
    const bool noticed = std::ranges::any_of(
        wrong, [&](const std::string& p) { return p.starts_with(path + name); });
    EXPECT_EQ(noticed, name != "$schema") << "of the wrong type";
  }
  Json strange = document;
  strange[Json::json_pointer(pointer)]["strange"] = 1;
  EXPECT_EQ(paths_of(strange), std::vector<std::string>{path + "strange"});
}

TEST(TrialSchema, NamesTheMembersTheReaderKnows) {
  const Json schema = load("docs/reference/trial.schema.json");
  compare(schema, "", "");
  compare(schema["properties"]["sites"]["items"], "/sites/0", "sites[0].");
  compare(schema["$defs"]["form"], "/forms/1", "forms[1].");
  compare(schema["$defs"]["score"], "/forms/1/scores/0", "forms[1].scores[0].");
}

}  // namespace
}  // namespace vesper
