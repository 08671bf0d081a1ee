#include "stages/admission/client_address.hpp"

#include <algorithm>
#include <utility>

namespace vesper::admission {
namespace {

bool same_name(std::string_view name, std::string_view lower_case) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return name.size() == lower_case.size() &&
         std::equal(name.begin(), name.end(), lower_case.begin(),
                    [&](char a, char b) { return lower(a) == b; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
std::optional<PeerAddress> address_of(std::string_view node) {
  if (node.starts_with('[')) {
    const std::size_t end = node.find(']');
    if (end == std::string_view::npos) return {};
    const std::string_view rest = node.substr(end + 1);
    if (!rest.empty() && !(rest.front() == ':' && is_port(rest.substr(1)))) return {};
    const std::string_view inside = node.substr(1, end - 1);
    return inside.find(':') == std::string_view::npos ? std::nullopt : parse_peer_address(inside);
  }
  const std::size_t colon = node.find(':');
  if (colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos)
    return is_port(node.substr(colon + 1)) ? parse_peer_address(node.substr(0, colon))
                                           : std::nullopt;
  return parse_peer_address(node);
}

/// The last part behind a `separator` that is not in quotes; it is taken off `text`.
/// From the right: quotes that the client left open stand on the left, and change nothing here.
std::string_view take_last(std::string_view& text, char separator) {
  bool quoted = false;
  for (std::size_t i = text.size(); i-- > 0;) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] != separator || quoted) continue;
    const std::string_view last = text.substr(i + 1);
    text = text.substr(0, i);
    return last;
  }
  return std::exchange(text, std::string_view{});
}

/// The node of `for=`, unquoted; empty when there is none or more than one.
std::string_view node_of(std::string_view element) {
  std::string_view node;
  while (!element.empty()) {
    const std::string_view pair = trimmed(take_last(element, ';'));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !same_name(pair.substr(0, equals), "for")) continue;
    if (!node.empty()) return {};
    node = pair.substr(equals + 1);
  }
  if (node.size() >= 2 && node.front() == '"' && node.back() == '"')
    return node.substr(1, node.size() - 2);
  return node.find_first_of("[:\"") == std::string_view::npos ? node : std::string_view{};
}

}  // namespace

bool ProxyTrust::trusts(const PeerAddress& peer) const {
  return std::ranges::any_of(networks, [&](const Network& of) { return of.contains(peer); });
}

std::optional<PeerAddress> client_of(const PeerAddress& peer, std::span<const Header> headers,
                                     const ProxyTrust& trust) {
  if (!trust.trusts(peer)) return peer;
  const bool forwarded = trust.header == ClientHeader::forwarded;
  const std::string_view name = forwarded ? "forwarded" : "x-forwarded-for";
  std::optional<PeerAddress> client;
  for (std::size_t i = headers.size(); i-- > 0;) {
    if (!same_name(headers[i].name, name)) continue;
    std::string_view rest = headers[i].value;
    while (!rest.empty()) {
      const std::string_view element = trimmed(take_last(rest, ','));
      if (element.empty()) continue;  // lists may have empty elements
      client = address_of(forwarded ? node_of(element) : element);
      if (!client || !trust.trusts(*client)) return client;
    }
  }
  return client;
}

PeerAddress group_of(const PeerAddress& address) {
  PeerAddress group = address;
  if (!address.is_v4()) std::fill(group.bytes.begin() + 8, group.bytes.end(), std::uint8_t{0});
  return group;
}

}  // namespace vesper::admission
