#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vesper::validators {

/// One resource for a validator and a name to find it again by.
struct Document {
  std::string name, json;
};

/// The golden bundles with their Questionnaires, then `count` random ones.
[[nodiscard]] std::vector<Document> documents(int count);

/// What a validator said of each document, in order: {"name","issues":[...]}.
///   Shape: `command` reads lines on stdin and writes one JSON line for each; runs in tools/.
///   Errors: fewer results than documents when the command fails.
[[nodiscard]] std::vector<nlohmann::json> validate(const std::string& command,
                                                   const std::vector<Document>& documents);

[[nodiscard]] std::string source_folder();
[[nodiscard]] bool has_program(const std::string& name);

}  // namespace vesper::validators
