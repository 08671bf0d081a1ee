#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "stages/access/key_set.hpp"
#include "stages/access/signing_key.hpp"

namespace vesper::access {

/// What `vesper token mint` puts into a development token.
struct MintRequest {
  std::string issuer{}, audience{}, subject{};
  std::vector<std::string> trials{};  ///< one: a string; several: a list; none: no claim
  std::string scope{};                ///< space-separated; empty: no claim
  std::string site{}, token_id{}, context{};
  WallTime issued_at{};
  std::chrono::seconds lifetime{3600};
  std::optional<WallTime> not_before{};
  std::string more_claims{};  ///< a JSON object; its members are added, and win over those above
};

enum class MintFault : std::uint8_t {
  claims_not_an_object,
  name_invalid,  ///< a name is longer than 256 bytes, has a control character or is not UTF-8
  too_long       ///< the token would be longer than 8192 bytes
};
[[nodiscard]] std::string_view text_of(MintFault fault);

/// A signed token. Equal requests and keys give equal tokens but for ES256, whose signatures
/// differ.
[[nodiscard]] std::expected<std::string, MintFault> mint(const MintRequest& request,
                                                         const SigningKey& key);

/// How `vesper token verify` looks at a token.
struct InspectOptions {
  bool signature_only = false;
  WallTime now{};
  std::optional<std::string> issuer{}, audience{};  ///< empty: whatever the token says
  std::string subject_claim = "sub";
  std::vector<BoundAlgorithm> algorithms{};
};

/// Why a token is or is not accepted.
struct TokenReport {
  bool accepted = false;
  std::string reason;              ///< one sentence
  std::string algorithm, kid;      ///< of the key that verified; empty when none did
  std::string header, claims;      ///< JSON as the token carries it; empty when it is not JSON
  std::vector<std::string> notes;  ///< keys of the set that are not used, and why
};

[[nodiscard]] TokenReport inspect_token(std::string_view token, std::string_view key_set,
                                        const InspectOptions& options);

/// The report as one JSON object.
[[nodiscard]] std::string to_json(const TokenReport& report);

}  // namespace vesper::access
