#pragma once
#include <optional>
#include <string>
#include <vector>

namespace vesper::test {

struct LlhttpCase {
  std::string name;   ///< file and heading
  std::string bytes;  ///< as on the wire
};

/// The request cases of the llhttp test suite (markdown); nothing when the corpus is absent.
///   Source: github.com/nodejs/llhttp, test/request; found as corpora/http.
[[nodiscard]] std::optional<std::vector<LlhttpCase>> load_llhttp_cases();

}  // namespace vesper::test
