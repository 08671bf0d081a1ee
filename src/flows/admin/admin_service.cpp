#include "flows/admin/admin_service.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "flows/replies.hpp"

namespace vesper {
namespace {

constexpr std::uint64_t ignored_body_bytes_max = 64ull << 10;

std::string_view path_of(const RequestHead& head) {
  std::string_view path = head.path;
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

void AdminService::add(Method method, std::string_view pattern, Handler handle) {
  const auto row = std::ranges::find_if(routes_, [&](const Route& route) {
    return route.method == method && route.pattern == pattern;
  });
  if (row == routes_.end() || handlers_[static_cast<std::size_t>(row - routes_.begin())]) {
    stray_ = fmt::format("route {} {} is served, but has no row of its own in the route table",
                         name_of(method), pattern);
    return;
  }
  handlers_[static_cast<std::size_t>(row - routes_.begin())] = std::move(handle);
}

std::optional<std::string> AdminService::fault() const {
  if (auto fault = fault_of(routes_)) return fault;
  if (!stray_.empty()) return stray_;
  for (std::size_t i = 0; i < routes_.size(); ++i)
    if (!handlers_[i])
      return fmt::format("route {} {} stands in the route table, but nothing serves it",
                         name_of(routes_[i].method), routes_[i].pattern);
  return {};
}

bool AdminService::begin(Exchange& exchange) {
  const RouteMatch match = match_route(routes_, exchange.head.method, path_of(exchange.head));
  if (match.route == nullptr) {
    const bool path_known = !match.allowed_methods.empty();
    refuse(exchange.reply, path_known ? 405 : 404,
           path_known ? IssueCode::not_supported : IssueCode::not_found,
           path_known ? "This resource has no such method." : "There is no such resource.");
    if (path_known) exchange.reply.add_header("Allow", match.allowed_methods);
    return true;
  }
  const Route& route = *match.route;
  exchange.route = static_cast<std::uint16_t>(match.route - routes_.data());
  exchange.deadline = {exchange.started + route.deadline};
  exchange.body_limit_bytes =
      route.body == RouteBody::none ? ignored_body_bytes_max : route.body_limit_bytes;
  return route.authentication != Authentication::none &&
         guard_(exchange, route.authentication == Authentication::operator_changes);
}

asio::awaitable<void> AdminService::serve(Exchange& exchange) {
  const std::string_view pattern = routes_[exchange.route].pattern;
  std::string_view rest = exchange.head.path;
  rest.remove_prefix(std::min({rest.size(), pattern.size(), pattern.find('{')}));
  return handlers_[exchange.route](exchange, rest);
}

}  // namespace vesper
