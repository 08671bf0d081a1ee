#include "app/url.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace vesper {
namespace {

bool host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

}  // namespace

bool Url::loopback() const {
  if (host == "localhost") return true;
  boost::system::error_code bad;
  const auto address = boost::asio::ip::make_address(host, bad);
  return !bad && address.is_loopback();
}

std::optional<Url> parse_url(std::string_view text) {
  Url out;
  if (text.starts_with("https://"))
    out.tls = true;
  else if (!text.starts_with("http://"))
    return std::nullopt;
  text.remove_prefix(out.tls ? 8 : 7);
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; };
  if (!std::ranges::all_of(text, visible)) return std::nullopt;
  if (text.find_first_of("?#") != std::string_view::npos) return std::nullopt;
  std::string_view authority = text.substr(0, text.find('/'));
  out.path = text.substr(authority.size());
  if (authority.find('@') != std::string_view::npos) return std::nullopt;
  const bool bracketed = authority.starts_with('[');
  const std::size_t host_end =
      bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) return std::nullopt;
  out.host = authority.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  if (bracketed) {
    boost::system::error_code bad;
    if (!boost::asio::ip::make_address(out.host, bad).is_v6() || bad) return std::nullopt;
  } else if (out.host.empty() || !std::ranges::all_of(out.host, host_char)) {
    return std::nullopt;
  }
  std::string_view port = authority.substr(host_end + (bracketed ? 1 : 0));
  out.port = out.tls ? 443 : 80;
  if (port.empty()) return out;
  if (!port.starts_with(':')) return std::nullopt;
  port.remove_prefix(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc{} || end != port.data() + port.size() || out.port == 0)
    return std::nullopt;
  return out;
}

}  // namespace vesper
