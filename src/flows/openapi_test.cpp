#include "flows/openapi.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace vesper {
namespace {

using nlohmann::json;

// The validator of others is test/openapi; here: nothing of the tables is left out.
TEST(OpenApi, EveryRowOfBothTablesIsAnOperation) {
  const json document = json::parse(openapi_document(intake_routes(), admin_routes()));
  EXPECT_EQ(document["openapi"], "3.1.0");
  std::size_t rows = 0;
  for (const auto& [path, item] : document["paths"].items())
    for (const auto& [method, operation] : item.items()) {
      EXPECT_EQ(operation["servers"].size(), operation["x-vesper"].size()) << path;
      for (const json& row : operation["x-vesper"]) {
        ++rows;
        EXPECT_GT(row["deadlineMs"], 0) << path;
      }
    }
  EXPECT_EQ(rows, intake_routes().size() + admin_routes().size());
  const json& submit = document["paths"]["/patient/data"]["post"];
  EXPECT_EQ(submit["x-vesper"][0]["class"], "submissions");
  EXPECT_EQ(submit["x-vesper"][0]["scopes"], (json{"patient", "site", "service"}));
  EXPECT_TRUE(submit["responses"].contains("429"));
  EXPECT_EQ(submit["requestBody"]["content"].size(), 4u);
}

TEST(OpenApi, OperationIdsAreUnique) {
  const json document = json::parse(openapi_document(intake_routes(), admin_routes()));
  std::set<std::string> names;
  for (const auto& item : document["paths"])
    for (const auto& operation : item)
      EXPECT_TRUE(names.insert(operation["operationId"]).second) << operation["operationId"];
}

}  // namespace
}  // namespace vesper
