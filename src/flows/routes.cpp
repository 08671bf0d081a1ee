#include "flows/routes.hpp"

namespace vesper {
namespace {

using access::Action;
constexpr std::uint64_t trial_bytes_max = 16ull << 20;

// clang-format off
constexpr std::array table{
    //    id                            method        path                               who                     deadline  body bytes       from settings
    Route{RouteId::submit_diary,        Method::post, "/patient/data",                   Action::submit_diary,   5s,       0,               true},
    Route{RouteId::read_diary,          Method::get,  "/patient/data/{}",                Action::read_diary,     5s,       0,               false},
    Route{RouteId::read_trial,          Method::get,  "/trials/{}",                      Action::read_trial,     5s,       0,               false},
    Route{RouteId::read_trial_history,  Method::get,  "/trials/{}/history",              Action::read_trial,     5s,       0,               false},
    Route{RouteId::publish_trial,       Method::put,  "/trials/{}",                      Action::publish_trial,  10s,      trial_bytes_max, false},
    Route{RouteId::receipt_keys,        Method::get,  "/.well-known/vesper-receipt-keys", std::nullopt,          1s,       0,               false},
    Route{RouteId::healthz,             Method::get,  "/healthz",                        std::nullopt,           1s,       0,               false},
    Route{RouteId::readyz,              Method::get,  "/readyz",                         std::nullopt,           1s,       0,               false},
};
// clang-format on

constexpr bool every_route_states_a_deadline() {
  for (const auto& route : table)
    if (route.deadline <= std::chrono::milliseconds::zero()) return false;
  return true;
}
static_assert(every_route_states_a_deadline());

// True when `path` fits `pattern`; the segment that stands for `{}` is left in `parameter`.
bool fits(std::string_view pattern, std::string_view path, std::string_view& parameter) {
  const std::size_t hole = pattern.find("{}");
  if (hole == std::string_view::npos) return pattern == path;
  const std::string_view before = pattern.substr(0, hole), after = pattern.substr(hole + 2);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
      !path.ends_with(after))
    return false;
  parameter = path.substr(before.size(), path.size() - before.size() - after.size());
  return parameter.find('/') == std::string_view::npos;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::span<const Route> intake_routes() {
  return table;
}

RouteMatch match_route(std::span<const Route> routes, Method method, std::string_view path) {
  const Method wanted = method == Method::head ? Method::get : method;
  RouteMatch match;
  bool get = false, post = false, put = false;
  for (const auto& route : routes) {
    std::string_view parameter;
    if (!fits(route.pattern, path, parameter)) continue;
    if (route.method == wanted) return {&route, parameter, {}};
    get |= route.method == Method::get;
    post |= route.method == Method::post;
    put |= route.method == Method::put;
  }
  if (get && put)
    match.allowed_methods = "GET, HEAD, PUT";
  else if (get)
    match.allowed_methods = "GET, HEAD";
  else if (post)
    match.allowed_methods = "POST";
  else if (put)
    match.allowed_methods = "PUT";
  return match;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return {};
    const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return {};
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string> found;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) != name) continue;
    if (found) return {};
    found = percent_decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!found) return {};
  }
  return found;
}

}  // namespace vesper
