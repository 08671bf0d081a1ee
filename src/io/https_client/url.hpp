#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vesper {

/// An http:// or https:// URL, taken apart.
struct Url {
  bool tls = false;
  std::string host;    ///< lower case, without brackets
  std::string target;  ///< path and query, never empty
  std::uint16_t port = 0;
  bool ipv6 = false;

  /// The Host header: the port only when it is not the scheme's own.
  [[nodiscard]] std::string authority() const;
  /// `localhost`, 127.0.0.0/8 or ::1, by name alone.
  [[nodiscard]] bool loopback() const;
  [[nodiscard]] bool literal() const;  ///< the host is an address, not a name
};

/// Strict: scheme, host, optional port, optional path and query of printable ASCII; no user
/// information, no fragment, nothing that could end a header line.
///   Source: RFC 3986; what it allows beyond this is refused.
[[nodiscard]] std::optional<Url> parse_url(std::string_view text);

}  // namespace vesper
