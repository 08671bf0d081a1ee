#pragma once
#include <nlohmann/json.hpp>
#include <string>

/// A FHIR transaction of one diary, as a tree of documents, built anew each time (D5): the response
/// and an Observation for each answer.
[[nodiscard]] nlohmann::json naive_bundle(const nlohmann::json& diary, const nlohmann::json& trial,
                                          const std::string& delivery_id);
