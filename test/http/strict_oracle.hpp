#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace vesper::test {

struct OracleRequest {
  std::string method, target, body;
  friend bool operator==(const OracleRequest&, const OracleRequest&) = default;
};

/// What a strict server takes from a byte stream: whole requests, then perhaps a refusal (a fault,
/// or an end in mid request).
struct OracleVerdict {
  std::vector<OracleRequest> taken;
  bool refused = false;
  bool closes = false;  ///< the last request taken asks for the end
};

/// Judges by regular expressions and string searches, written apart from the parser to check it.
///   Why: slow and plain; it knows no splits, limits or statuses.
[[nodiscard]] OracleVerdict judge_strictly(std::string_view stream);

}  // namespace vesper::test
