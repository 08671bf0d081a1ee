#include "io/https_client/url.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace vesper {
namespace {

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  unsigned port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  if (port == 0 || port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

boost::asio::ip::address address_of(const std::string& host, bool& is_one) {
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(host, failed);
  is_one = !failed;
  return address;
}

}  // namespace

std::string Url::authority() const {
  std::string text = ipv6 ? "[" + host + "]" : host;
  if (port != (tls ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

bool Url::literal() const {
  bool is_one = false;
  (void)address_of(host, is_one);
  return is_one;
}

bool Url::loopback() const {
  bool is_one = false;
  const auto address = address_of(host, is_one);
  return is_one ? address.is_loopback() : host == "localhost";
}

std::optional<Url> parse_url(std::string_view text) {
  Url url;
  if (text.size() > 2048) return std::nullopt;
  if (text.starts_with("https://"))
    url.tls = true;
  else if (!text.starts_with("http://"))
    return std::nullopt;
  text.remove_prefix(url.tls ? 8 : 7);
  const auto slash = text.find_first_of("/?");
  std::string_view host = text.substr(0, slash);
  url.target = slash == text.npos ? "/" : std::string{text.substr(slash)};
  if (url.target[0] == '?') url.target.insert(0, 1, '/');
  if (!std::ranges::all_of(url.target, [](char c) { return c > ' ' && c < 0x7F && c != '#'; }))
    return std::nullopt;
  std::string_view port;
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == host.npos) return std::nullopt;
    port = host.substr(end + 1);
    host = host.substr(1, end - 1);
    url.ipv6 = true;
  } else if (const auto colon = host.find(':'); colon != host.npos) {
    port = host.substr(colon);
    host = host.substr(0, colon);
  }
  url.port = url.tls ? 443 : 80;
  if (!port.empty()) {
    const auto number = port[0] == ':' ? parse_port(port.substr(1)) : std::nullopt;
    if (!number) return std::nullopt;
    url.port = *number;
  }
  if (host.empty() || host.size() > 253) return std::nullopt;
  for (const char c : host)
    url.host.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
  bool is_address = false;
  const auto address = address_of(url.host, is_address);
  if (url.ipv6 ? !(is_address && address.is_v6()) : !std::ranges::all_of(url.host, name_character))
    return std::nullopt;
  return url;
}

}  // namespace vesper
