#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "stages/access/verifier.hpp"

// Goal: no case of Project Wycheproof is wrongly accepted, and every valid case of an enabled
// algorithm is accepted. Method: each group's key set (the public half where there is one) goes
// through parse_key_set, each token through verify_signature, as `vesper token verify
// --signature-only` does. Source: C2SP/wycheproof, testvectors_v1.
namespace vesper::access {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

fs::path corpus() {
  if (const char* set = std::getenv("VESPER_CORPORA")) return fs::path{set} / "jws";
  const char* source = std::getenv("VESPER_SOURCE");
  return fs::path{source ? source : "."} / "../shared/corpora/jws";
}

Json load(const char* name) {
  std::ifstream file{corpus() / name};
  return file ? Json::parse(file) : Json{};
}

struct Tally {
  int cases = 0, accepted = 0, valid_refused_not_enabled = 0;
};

bool enabled(const Json& keys) {
  const Json list = keys.contains("keys") ? keys["keys"] : Json::array({keys});
  return std::ranges::all_of(
      list, [](const Json& key) { return algorithm_named(key.value("alg", "")).has_value(); });
}

Tally run(const Json& file, const std::set<int>& argued_accepted,
          const std::set<int>& argued_refused) {
  Tally tally;
  for (const Json& group : file["testGroups"]) {
    const Json& keys = group.contains("public") ? group["public"] : group["private"];
    const auto set = parse_key_set(keys.dump());
    for (const Json& test : group["tests"]) {
      const int id = test["tcId"];
      const std::string jws =
          test["jws"].is_string() ? test["jws"].get<std::string>() : test["jws"].dump();
      const bool accepted = set.has_value() && verify_signature(jws, *set).has_value();
      const bool valid = test["result"] == "valid";
      ++tally.cases;
      tally.accepted += accepted ? 1 : 0;
      if (!valid) {
        EXPECT_EQ(accepted, argued_accepted.contains(id)) << id << " " << test["comment"];
      } else if (enabled(keys)) {
        EXPECT_EQ(accepted, !argued_refused.contains(id)) << id << " " << test["comment"];
      } else {
        EXPECT_FALSE(accepted) << id << " " << test["comment"];
        ++tally.valid_refused_not_enabled;
      }
    }
  }
  return tally;
}

TEST(Wycheproof, NoSignatureIsWronglyAcceptedAndEveryEnabledValidOneIs) {
  const Json file = load("json_web_signature_test.json");
  if (file.is_null()) GTEST_SKIP() << "corpus jws absent: " << corpus();
  // 367 and 370 are the same bytes and key as the valid case 357; 372 and 373 carry a character
  // that base64url does not have, which RFC 7515, 2 refuses.
  const Tally tally = run(file, {367, 370}, {372, 373});
  EXPECT_EQ(tally.cases, 401);
  EXPECT_EQ(tally.accepted, 20);
  RecordProperty("not_enabled", tally.valid_refused_not_enabled);
}

TEST(Wycheproof, NoKeySetIsWronglyAccepted) {
  const Json file = load("json_web_key_test.json");
  if (file.is_null()) GTEST_SKIP() << "corpus jws absent: " << corpus();
  const Tally tally = run(file, {}, {});
  EXPECT_EQ(tally.cases, 26);
  EXPECT_EQ(tally.accepted, 3);  // 2, 5 and 13; 14 and 15 are HS384 and HS512
}

TEST(Wycheproof, PaddingCasesAreTheValidBytesAgain) {
  const Json file = load("json_web_signature_test.json");
  if (file.is_null()) GTEST_SKIP() << "corpus jws absent: " << corpus();
  std::map<int, std::string> tokens;
  for (const Json& group : file["testGroups"])
    for (const Json& test : group["tests"])
      if (test["jws"].is_string()) tokens[test["tcId"]] = test["jws"];
  EXPECT_EQ(tokens[367], tokens[357]);
  EXPECT_EQ(tokens[370], tokens[357]);
}

}  // namespace
}  // namespace vesper::access
