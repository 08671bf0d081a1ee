#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vesper {

/// The parts of an http or https URL that a setting may hold.
struct Url {
  bool tls = false;
  std::string host;  ///< without brackets
  std::uint16_t port = 0;
  std::string path;  ///< empty or beginning with a slash
  /// True for a numeric loopback address and for `localhost`.
  [[nodiscard]] bool loopback() const;
};

/// Errors: nothing for another scheme, user information, a query, a fragment, blanks, a bad port.
[[nodiscard]] std::optional<Url> parse_url(std::string_view text);

}  // namespace vesper
