#include "stages/access/authenticator.hpp"

namespace vesper::access {

std::expected<std::string_view, AccessFault> parse_bearer(std::string_view value) {
  constexpr std::string_view scheme = "bearer";
  if (value.empty()) return std::unexpected(AccessFault::missing);
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ')
    return std::unexpected(AccessFault::malformed);
  for (std::size_t i = 0; i < scheme.size(); ++i)
    if ((value[i] | 0x20) != scheme[i]) return std::unexpected(AccessFault::malformed);
  value.remove_prefix(scheme.size());
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (value.empty()) return std::unexpected(AccessFault::malformed);
  return value;  // blanks and commas inside are not base64url: the verifier refuses them
}

std::expected<Authenticator::Accepted, AccessRefusal> Authenticator::authenticate(
    std::string_view authorization, const KeyRing& ring, WallTime now, ColdGate* gate) {
  const auto token = parse_bearer(authorization);
  if (!token) return std::unexpected(AccessRefusal{token.error(), {}, {}});
  if (ring.generation != generation_) {
    cache_.flush();
    generation_ = ring.generation;
  }
  if (auto caller = cache_.find(*token, now)) return Accepted{std::move(caller), true};
  auto verified = verifier_.verify(*token, ring, now, gate);
  if (!verified) return std::unexpected(std::move(verified.error()));
  cache_.keep(*token, *verified);
  return Accepted{std::move(verified->caller), false};
}

}  // namespace vesper::access
