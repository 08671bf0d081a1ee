#include "stages/access/jws.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "stages/access/plain_text.hpp"

namespace vesper::access {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view lower_case_b) {
  return std::ranges::equal(a, lower_case_b, [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
  });
}

// RFC 7515, 4.1.9: `application/` may be left out, and case does not matter.
bool names_a_jwt(std::string_view type) {
  for (std::string_view known : {"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
    if (equal_ignoring_case(type, known)) return true;
  return false;
}

}  // namespace

std::expected<JwsParts, AccessFault> split_compact(std::string_view token) {
  if (token.size() > token_bytes_max) return std::unexpected(AccessFault::too_long);
  const auto first = token.find('.');
  if (first == std::string_view::npos || first == 0) return std::unexpected(AccessFault::malformed);
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::unexpected(AccessFault::malformed);
  const JwsParts parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                       token.substr(second + 1), token.substr(0, second)};
  if (parts.signature.empty() || parts.signature.find('.') != std::string_view::npos)
    return std::unexpected(AccessFault::malformed);
  return parts;
}

std::expected<JwsHeader, AccessFault> parse_header(std::string_view encoded) {
  std::string text;
  Arena arena;
  if (!decode_base64url(encoded, text)) return std::unexpected(AccessFault::malformed);
  const auto json = parse_json(text, arena);
  if (!json || !(*json)->is(JsonKind::object)) return std::unexpected(AccessFault::malformed);
  JwsHeader header;
  for (const JsonValue& member : **json) {
    const bool is_string = member.is(JsonKind::string);
    if (member.name == "alg") {
      if (!is_string) return std::unexpected(AccessFault::malformed);
      header.algorithm = member.text;
    } else if (member.name == "kid") {
      if (!is_string || !is_plain_text(member.text)) return std::unexpected(AccessFault::malformed);
      header.kid = member.text;
    } else if (member.name == "typ") {
      if (!is_string) return std::unexpected(AccessFault::malformed);
      header.is_jwt = names_a_jwt(member.text);
    } else if (member.name == "crit") {
      return std::unexpected(AccessFault::unsupported);
    } else if (member.name == "b64" && !(member.is(JsonKind::boolean) && member.boolean)) {
      return std::unexpected(AccessFault::unsupported);
    }
  }
  if (header.algorithm.empty()) return std::unexpected(AccessFault::malformed);
  return header;
}

}  // namespace vesper::access
