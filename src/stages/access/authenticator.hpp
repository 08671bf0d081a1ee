#pragma once
#include <expected>
#include <memory>
#include <string_view>

#include "stages/access/token_cache.hpp"
#include "stages/access/verifier.hpp"

namespace vesper::access {

/// The token of an Authorization header's value (RFC 6750, 2.1).
///   Errors: missing when the value is empty; malformed for another scheme or no token.
[[nodiscard]] std::expected<std::string_view, AccessFault> parse_bearer(std::string_view value);

/// A shard's door: header in, caller out. Cache first, then the verifier.
///   Bounds: the cache's. Refusals are never kept.
///   Thread: one owner, such as a shard; `ring` is the snapshot in force.
class Authenticator {
 public:
  struct Accepted {
    std::shared_ptr<const Caller> caller;
    bool from_cache = false;
  };
  Authenticator(TokenCache::Limits limits, HashSeed seed) : cache_(limits, seed) {}

  /// Another generation of `ring` than the last one's empties the cache first.
  [[nodiscard]] std::expected<Accepted, AccessRefusal> authenticate(std::string_view authorization,
                                                                    const KeyRing& ring,
                                                                    WallTime now,
                                                                    ColdGate* gate = nullptr);

 private:
  TokenCache cache_;
  Verifier verifier_;
  std::uint64_t generation_ = 0;
};

}  // namespace vesper::access
