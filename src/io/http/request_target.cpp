#include "io/http/request_target.hpp"

#include "io/http/character_classes.hpp"

namespace vesper {
namespace {

using Classes = CharacterClasses;

bool all_in(std::string_view text, std::uint8_t kind) {
  for (const char c : text)
    if (!is_in(c, kind)) return false;
  return true;
}

bool percent_encoding_holds(std::string_view text) {
  for (auto at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
    if (text.size() - at < 3) return false;
    if (!is_in(text[at + 1], Classes::hex) || !is_in(text[at + 2], Classes::hex)) return false;
  }
  return true;
}

bool is_port(std::string_view digits) {
  unsigned port = 0;
  for (const char c : digits) {
    if (!is_in(c, Classes::digit)) return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
    if (port > 65535) return false;
  }
  return true;  // RFC 3986 allows an empty port after the colon
}

bool is_ipv4(std::string_view text) {
  int parts = 0;
  while (true) {
    const auto dot = text.find('.');
    const auto part = text.substr(0, dot);
    if (part.empty() || part.size() > 3 || !all_in(part, Classes::digit)) return false;
    if (part.size() > 1 && part[0] == '0') return false;
    int number = 0;
    for (const char c : part) number = number * 10 + (c - '0');
    if (number > 255) return false;
    ++parts;
    if (dot == text.npos) break;
    text.remove_prefix(dot + 1);
  }
  return parts == 4;
}

/// Groups of one side of `::`, an IPv4 tail counting two; -1 when they are not valid.
int ipv6_groups(std::string_view text, bool tail_may_be_ipv4) {
  if (text.empty()) return 0;
  int groups = 0;
  while (true) {
    const auto colon = text.find(':');
    const auto group = text.substr(0, colon);
    if (colon == text.npos && tail_may_be_ipv4 && group.find('.') != group.npos)
      return is_ipv4(group) ? groups + 2 : -1;
    if (group.empty() || group.size() > 4 || !all_in(group, Classes::hex)) return -1;
    ++groups;
    if (colon == text.npos) return groups;
    text.remove_prefix(colon + 1);
  }
}

bool is_ipv6(std::string_view text) {
  const auto gap = text.find("::");
  if (gap == text.npos) return ipv6_groups(text, true) == 8;
  const int before = ipv6_groups(text.substr(0, gap), false);
  const int after = ipv6_groups(text.substr(gap + 2), true);
  return before >= 0 && after >= 0 && before + after <= 7;
}

constexpr HttpFault malformed{400, "the request target is not a valid path and query"};

HttpFault split_origin(std::string_view target, RequestHead& head) {
  if (!all_in(target, Classes::target)) return malformed;
  if (!percent_encoding_holds(target))
    return {400, "a % in the request target is not followed by two hexadecimal digits"};
  const auto mark = target.find('?');
  head.path = target.substr(0, mark);
  head.query = mark == target.npos ? std::string_view{} : target.substr(mark + 1);
  return {};
}

HttpFault split_absolute(std::string_view target, std::string_view host, RequestHead& head) {
  const auto colon = target.find("://");
  if (colon == target.npos) return {400, "the request target must begin with /"};
  const auto scheme = target.substr(0, colon);
  if (!equals_lower(scheme, "http") && !equals_lower(scheme, "https"))
    return {400, "the request target has a scheme other than http and https"};
  const auto rest = target.substr(colon + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  if (!is_host(authority)) return {400, "the request target names no valid host"};
  if (!host.empty()) {
    bool same = host.size() == authority.size();
    for (std::size_t i = 0; same && i < host.size(); ++i) {
      const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
      };
      same = lower(host[i]) == lower(authority[i]);
    }
    if (!same) return {400, "the request target names another host than the Host header"};
  }
  const auto path = rest.substr(authority.size());
  const auto fault = split_origin(path, head);
  if (fault.status == 0 && head.path.empty()) head.path = "/";
  return fault;
}

}  // namespace

bool is_host(std::string_view text) {
  if (text.empty()) return false;
  if (text.front() == '[') {
    const auto close = text.find(']');
    if (close == text.npos || !is_ipv6(text.substr(1, close - 1))) return false;
    const auto rest = text.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  if (name.empty() || !all_in(name, Classes::reg_name) || !percent_encoding_holds(name))
    return false;
  return colon == text.npos || is_port(text.substr(colon + 1));
}

HttpFault split_target(std::string_view target, std::string_view host, RequestHead& head) {
  if (head.method_name == "CONNECT") return {501, "CONNECT is not served here"};
  if (target.front() == '/') return split_origin(target, head);
  if (target == "*") {
    if (head.method != Method::options) return {400, "the target * is for OPTIONS only"};
    head.path = target;
    head.query = {};
    return {};
  }
  return split_absolute(target, host, head);
}

}  // namespace vesper
