#pragma once
#include <optional>
#include <string_view>

#include "io/https_client/url.hpp"

namespace vesper {

/// A URL that a setting may hold.
///   Errors: nothing for what parse_url() refuses, nor for one with a query.
[[nodiscard]] inline std::optional<Url> parse_setting_url(std::string_view text) {
  auto url = parse_url(text);
  if (url && url->target.find('?') != std::string::npos) return std::nullopt;
  return url;
}

}  // namespace vesper
