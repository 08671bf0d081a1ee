#include "http/strict_oracle.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <map>
#include <optional>
#include <regex>

namespace vesper::test {
namespace {

using std::string;
using std::string_view;

const string token = "[-!#$%&'*+.^_`|~0-9A-Za-z]+";
const string uri = "(?:[-._~!$&'()*+,;=:@/?0-9A-Za-z]|%[0-9A-Fa-f]{2})*";
const string port = "(?::[0-9]*)?";
const string name_host = "(?:[-._~!$&'()*+;=0-9A-Za-z]|%[0-9A-Fa-f]{2})+";
const string ip6_host = R"(\[[0-9A-Fa-f:.]+\])";

bool matches(const string& text, const string& pattern) {
  return std::regex_match(text, std::regex{pattern});
}

string lower(string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

struct Head {
  OracleRequest request;
  std::map<string, std::vector<string>> headers;
  bool http10 = false;
};

bool host_holds(const string& host) {
  if (!matches(host, "(?:" + name_host + "|" + ip6_host + ")" + port)) return false;
  if (host.front() == '[') {
    in6_addr address{};
    if (inet_pton(AF_INET6, host.substr(1, host.find(']') - 1).c_str(), &address) != 1)
      return false;
  }
  const auto colon = host.find_last_of(':');
  if (colon == string::npos || host.back() == ']' || colon + 1 == host.size()) return true;
  return host.size() - colon <= 6 && std::stoul(host.substr(colon + 1)) <= 65535;
}

bool target_holds(const Head& head) {
  const auto& target = head.request.target;
  if (head.request.method == "CONNECT") return false;
  if (target == "*") return head.request.method == "OPTIONS";
  if (matches(target, "/" + uri)) return true;
  std::smatch parts;
  if (!std::regex_match(target, parts, std::regex{"[hH][tT][tT][pP][sS]?://([^/?]+)([/?].*)?"}))
    return false;
  const auto host = head.headers.find("host");
  if (host != head.headers.end() && lower(host->second[0]) != lower(parts[1])) return false;
  return host_holds(parts[1]) && matches(parts[2], "(?:[/?]" + uri + ")?");
}

std::optional<Head> read_head(string_view text) {
  std::vector<string> lines;
  for (std::size_t end; (end = text.find("\r\n")) != text.npos; text.remove_prefix(end + 2))
    lines.emplace_back(text.substr(0, end));
  Head head;
  std::smatch parts;
  if (lines.empty() ||
      !std::regex_match(lines[0], parts, std::regex{"(" + token + ") ([!-~]+) HTTP/1\\.([01])"}))
    return {};
  head.request.method = parts[1];
  head.request.target = parts[2];
  head.http10 = parts[3] == "0";
  const std::regex field{"(" + token + "):[ \t]*([\t -~\x80-\xff]*)"};
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (!std::regex_match(lines[i], parts, field)) return {};
    string value = parts[2];
    value.erase(value.find_last_not_of(" \t") + 1);
    head.headers[lower(parts[1])].push_back(value);
  }
  return head;
}

bool framing_holds(const Head& head) {
  const auto count = [&](const string& name) {
    const auto found = head.headers.find(name);
    return found == head.headers.end() ? std::size_t{0} : found->second.size();
  };
  if (count("host") > 1 || (count("host") == 0 && !head.http10)) return false;
  if (count("host") == 1 && !host_holds(head.headers.at("host")[0])) return false;
  if (count("content-length") + count("transfer-encoding") > 1) return false;
  if (count("content-length") == 1 && !matches(head.headers.at("content-length")[0], "[0-9]{1,19}"))
    return false;
  if (count("transfer-encoding") == 1 &&
      (head.http10 || lower(head.headers.at("transfer-encoding")[0]) != "chunked"))
    return false;
  if (count("expect") > 0)
    for (const auto& value : head.headers.at("expect"))
      if (lower(value) != "100-continue") return false;
  return target_holds(head);
}

/// Takes a chunked body off the front of `rest`; nothing when it is refused or cut.
std::optional<string> take_chunks(string& rest) {
  const string extension =
      "(?:;" + token + "(?:=(?:" + token + R"re(|"(?:[\t !#-\[\]-~]|\\[\t -~])*"))?)*)re";
  const std::regex size_line{"([0-9A-Fa-f]{1,16})" + extension};
  string body;
  for (;;) {
    std::smatch parts;
    const auto end = rest.find("\r\n");
    if (end == string::npos) return {};
    const string line = rest.substr(0, end);
    if (!std::regex_match(line, parts, size_line)) return {};
    rest.erase(0, end + 2);
    const auto size = std::stoull(parts[1], nullptr, 16);
    if (size == 0) break;
    if (rest.size() < size || rest.size() - size < 2 || rest.substr(size, 2) != "\r\n") return {};
    body += rest.substr(0, size);
    rest.erase(0, size + 2);
  }
  const std::regex trailer{"(" + token + "):[\t -~\x80-\xff]*"};
  const std::regex forbidden{
      "content-length|transfer-encoding|host|connection|expect|te|trailer|upgrade|"
      "content-encoding|authorization|cookie|content-range"};
  for (;;) {
    std::smatch parts;
    const auto end = rest.find("\r\n");
    if (end == string::npos) return {};
    const string line = rest.substr(0, end);
    rest.erase(0, end + 2);
    if (line.empty()) return body;
    if (!std::regex_match(line, parts, trailer)) return {};
    if (std::regex_match(lower(parts[1]), forbidden)) return {};
  }
}

bool wants_end(const Head& head) {
  bool close = head.http10;
  const auto found = head.headers.find("connection");
  if (found == head.headers.end()) return close;
  string all;
  for (const auto& value : found->second) all += "," + lower(value);
  const auto has = [&](const string& option) {
    return std::regex_search(all, std::regex{",[ \t]*" + option + "[ \t]*(?:,|$)"});
  };
  if (has("keep-alive")) close = false;
  return close || has("close");
}

/// Takes one request off the front of `rest`.
std::optional<Head> take_request(string& rest) {
  const auto end = rest.find("\r\n\r\n");
  if (end == string::npos) return {};
  auto head = read_head(string_view{rest}.substr(0, end + 2));
  if (!head || !framing_holds(*head)) return {};
  rest.erase(0, end + 4);
  if (head->headers.contains("transfer-encoding")) {
    auto body = take_chunks(rest);
    if (!body) return {};
    head->request.body = *body;
  } else if (head->headers.contains("content-length")) {
    const auto size = std::stoull(head->headers["content-length"][0]);
    if (rest.size() < size) return {};
    head->request.body = rest.substr(0, size);
    rest.erase(0, size);
  }
  return head;
}

}  // namespace

OracleVerdict judge_strictly(string_view stream) {
  OracleVerdict verdict;
  string rest{stream};
  while (!rest.empty() && !verdict.closes) {
    if (rest.starts_with("\r\n")) rest.erase(0, 2);
    const auto head = take_request(rest);
    if (!head) {
      verdict.refused = true;
      break;
    }
    verdict.taken.push_back(head->request);
    verdict.closes = wants_end(*head);
  }
  return verdict;
}

}  // namespace vesper::test
