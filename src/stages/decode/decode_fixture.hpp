#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "stages/decode/decoder.hpp"

namespace vesper {

inline std::string corpora() {
  if (const char* set = std::getenv("VESPER_CORPORA")) return set;
  const char* source = std::getenv("VESPER_SOURCE");
  return std::string(source == nullptr ? "." : source) + "/../shared/corpora";
}

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A decoded document for tests, with all that its views need.
struct Outcome {
  std::string source;
  Arena arena;
  std::expected<Diary, DecodeFault> diary;

  explicit Outcome(std::string text, MediaType media = MediaType::json,
                   Strictness strictness = Strictness::intake)
      : source(std::move(text)), diary(Decoder{}.decode(media, source, arena, strictness)) {}

  [[nodiscard]] const RawAnswer& answer(std::string_view field) const {
    for (const auto& answer : diary->raw)
      if (answer.field == field) return answer;
    static const RawAnswer none;
    return none;
  }
  /// The only value of a field as text; `-` when it is skipped.
  [[nodiscard]] std::string_view text(std::string_view field) const {
    const auto& found = answer(field);
    return found.values.empty() ? "-" : found.values[0].text.reveal();
  }
  /// The paths of the issues of a 422, joined; `400` for what is not parseable.
  [[nodiscard]] std::string faults() const {
    if (diary) return "none";
    if (!diary.error().parseable) return "400";
    std::string paths;
    for (const auto& issue : diary.error().issues) {
      EXPECT_EQ(issue.kind, IssueKind::form);
      paths += (paths.empty() ? "" : " ") + issue.expression;
    }
    return paths;
  }
  [[nodiscard]] std::string first_text() const {
    return diary ? "none" : diary.error().issues.at(0).diagnostics;
  }
};

}  // namespace vesper
