#pragma once
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "base/time.hpp"
#include "model/caller.hpp"
#include "stages/access/access_fault.hpp"
#include "stages/access/claims.hpp"
#include "stages/access/cold_gate.hpp"
#include "stages/access/jws.hpp"
#include "stages/access/key_ring.hpp"

namespace vesper::access {

struct VerifiedToken {
  std::shared_ptr<const Caller> caller;
  Validity validity;
};

/// A refusal, with what the key keeper needs to look for a missing key.
struct AccessRefusal {
  AccessFault fault = AccessFault::missing;
  std::string issuer, kid;  ///< unknown_key and keys_unavailable
};

/// The key of `keys` that a header names, if its algorithm is the header's too.
///   A header without kid is served only by a set of one key.
///   Errors: unknown_key, wrong_algorithm.
[[nodiscard]] std::expected<const VerifyKey*, AccessFault> choose_key(const KeySet& keys,
                                                                      const JwsHeader& header);

/// Structure, algorithm, key and signature of any compact JWS; the payload may be anything.
[[nodiscard]] std::expected<const VerifyKey*, AccessFault> verify_signature(std::string_view token,
                                                                            const KeySet& keys);

/// Turns a token into the caller it proves.
///   Bounds: 8 KiB a token; memory for one token is kept and used again.
///   Errors: see AccessFault. The signature is checked before any claim but iss is listened to.
///   Thread: one owner, such as a shard. The time comes in.
///   Source: RFC 7515, 5.2; RFC 7519, 7.2; RFC 8725.
class Verifier {
 public:
  /// `gate`: may say `busy` once all but the signature has been looked at; none: always open.
  [[nodiscard]] std::expected<VerifiedToken, AccessRefusal> verify(std::string_view token,
                                                                   const KeyRing& ring,
                                                                   WallTime now,
                                                                   ColdGate* gate = nullptr);

 private:
  using Checked = std::expected<void, AccessFault>;
  [[nodiscard]] Checked read_header(std::string_view encoded);
  [[nodiscard]] std::expected<const JsonValue*, AccessFault> read_payload(std::string_view encoded);
  [[nodiscard]] Checked check_signature(const JwsParts& parts, const VerifyKey& key);

  Arena arena_;
  std::vector<char> payload_ = std::vector<char>(token_bytes_max);
  std::vector<char> signature_ = std::vector<char>(token_bytes_max);
  std::string header_text_;  ///< of header_; tokens of one issuer share theirs
  JwsHeader header_;
};

}  // namespace vesper::access
