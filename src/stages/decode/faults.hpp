#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "model/issue.hpp"

namespace vesper::decoding {

/// Place of a value in a document, as a chain towards the root; lives on the stack.
struct Where {
  const Where* parent = nullptr;
  std::string_view name{};  ///< empty: only an index
  std::int64_t index = -1;  ///< of an array's element, from 0
};

/// `answers.meals[2].kcal`; a name that is long or holds controls is shown as `(name)`.
[[nodiscard]] std::string path_of(const Where& where);

/// Collects what is wrong with a parseable document.
///   Bounds: 100 issues, then one that says there are more.
class Faults {
 public:
  void add(IssueCode code, std::string_view diagnostics, std::string path);
  void add(IssueCode code, std::string_view diagnostics, const Where& where) {
    add(code, diagnostics, path_of(where));
  }
  [[nodiscard]] bool empty() const { return issues_.empty(); }
  [[nodiscard]] Issues take() { return std::move(issues_); }

 private:
  Issues issues_;
};

}  // namespace vesper::decoding
