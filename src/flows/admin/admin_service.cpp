#include "flows/admin/admin_service.hpp"

#include "flows/replies.hpp"

namespace vesper {
namespace {

constexpr std::uint64_t body_bytes_max = 16ull << 20;  // a trial document
constexpr std::chrono::seconds deadline = 60s;         // profiles and dumps take their time

bool fits(std::string_view pattern, std::string_view path) {
  if (pattern.size() > 1 && pattern.ends_with('/'))
    return path.starts_with(pattern) || path == pattern.substr(0, pattern.size() - 1);
  return pattern == path;
}

}  // namespace

const AdminService::Route* AdminService::find(const RequestHead& head, bool& path_known) const {
  const Method wanted = head.method == Method::head ? Method::get : head.method;
  const Route* best = nullptr;
  for (const auto& route : routes_) {
    if (!fits(route.path, head.path)) continue;
    path_known = true;
    if (route.method == wanted && (best == nullptr || route.path.size() > best->path.size()))
      best = &route;
  }
  return best;
}

bool AdminService::begin(Exchange& exchange) {
  exchange.body_limit_bytes = body_bytes_max;
  exchange.deadline = {exchange.started + deadline};
  bool path_known = false;
  const Route* route = find(exchange.head, path_known);
  if (route == nullptr) {
    refuse(exchange.reply, path_known ? 405 : 404,
           path_known ? IssueCode::not_supported : IssueCode::not_found,
           path_known ? "This resource has no such method." : "There is no such resource.");
    if (path_known)
      exchange.reply.add_header("Allow",
                                exchange.head.method == Method::post ? "GET, HEAD" : "POST");
    return true;
  }
  exchange.route = static_cast<std::uint16_t>(route - routes_.data());
  return !route->open && guard_(exchange, route->changes);
}

asio::awaitable<void> AdminService::serve(Exchange& exchange) {
  const Route& route = routes_[exchange.route];
  std::string_view rest = exchange.head.path;
  rest.remove_prefix(std::min(rest.size(), route.path.size()));
  return route.handle(exchange, rest);
}

}  // namespace vesper
