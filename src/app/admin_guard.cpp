#include "app/admin_guard.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace vesper {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// The host of `HOST[:PORT]`, brackets kept.
std::optional<std::string_view> without_port(std::string_view text) {
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    ++end;
  }
  if (end >= text.size()) return text;
  if (text[end] != ':') return std::nullopt;
  const std::string_view port = text.substr(end + 1);
  std::uint16_t number = 0;
  const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || stop != port.data() + port.size()) return std::nullopt;
  return text.substr(0, end);
}

// 127.a.b.c in plain decimal: other spellings of an address are no browser's Host.
bool loopback_v4(std::string_view text) {
  int parts = 0;
  bool first_is_127 = false;
  while (true) {
    std::uint8_t part = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), part);
    const auto digits = static_cast<std::size_t>(stop - text.data());
    if (error != std::errc{} || (digits > 1 && text[0] == '0')) return false;
    if (parts == 0) first_is_127 = part == 127;
    ++parts;
    text.remove_prefix(digits);
    if (text.empty()) return parts == 4 && first_is_127;
    if (text[0] != '.' || parts == 4) return false;
    text.remove_prefix(1);
  }
}

// The page that asks came from this very port: `http://localhost:3000` is another site's.
bool same_origin(std::string_view origin, std::string_view host) {
  for (std::string_view scheme : {"http://", "https://"})
    if (origin.starts_with(scheme)) return equal_ignoring_case(origin.substr(scheme.size()), host);
  return false;  // `null`, an extension, a file
}

}  // namespace

bool admin_host_allowed(std::string_view host, std::span<const std::string> allowed) {
  const auto name = without_port(host);
  if (!name) return false;
  if (equal_ignoring_case(*name, "localhost") || *name == "[::1]" || loopback_v4(*name))
    return true;
  return std::ranges::any_of(
      allowed, [&](const std::string& one) { return equal_ignoring_case(*name, one); });
}

AdminVerdict judge_admin_request(const AdminRequest& request, const AdminRules& rules) {
  if (request.changes && request.method != "POST") return AdminVerdict::wrong_method;
  if (request.health && !request.changes) return AdminVerdict::allowed;
  if (!admin_host_allowed(request.host, rules.allowed_hosts)) return AdminVerdict::unknown_host;
  if (!request.origin.empty() && !same_origin(request.origin, request.host))
    return AdminVerdict::foreign_origin;
  // A link from elsewhere may lead a reader here; nothing from elsewhere may change anything.
  if (request.changes && !request.fetch_site.empty() && request.fetch_site != "same-origin" &&
      request.fetch_site != "none")
    return AdminVerdict::foreign_origin;
  if (rules.token_needed && !request.ops_token) return AdminVerdict::token_missing;
  return AdminVerdict::allowed;
}

}  // namespace vesper
