#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/http.hpp"
#include "stages/access/policy.hpp"
#include "stages/admission/traffic_class.hpp"

namespace vesper {

/// What a route does; indexes the dispatch in flows/intake_service.cpp.
enum class RouteId : std::uint8_t {
  submit_diary,
  read_diary,
  read_trial,
  read_trial_history,
  publish_trial,
  receipt_keys,
  healthz,
  readyz,
  of_admin  ///< dispatched by the handler that AdminService has for the row
};

using admission::TrafficClass;

/// How a caller proves who it is.
enum class Authentication : std::uint8_t {
  none,
  token,            ///< bearer token with a scope that `action` names
  operator_reads,   ///< the admin port's guard: Host, Origin, and a token with ops if configured
  operator_changes  ///< the guard's full proof
};

/// Which allowance of the caller and of the trial a request is taken from (429). Reading has its
/// own, of the same size, so that a screen that polls never spends what diaries need.
enum class RateRule : std::uint8_t { none, submissions, reads };

/// What the route leans on and is refused early without (503). Key fetch guards every token route.
enum class RouteBreaker : std::uint8_t { none, journal };

/// What a request's body is, for its media types and for the reference.
enum class RouteBody : std::uint8_t { none, diary, trial_document, json };

/// One row of the route table: all that is decided before a handler runs.
struct Route {
  RouteId id = RouteId::of_admin;
  Method method = Method::get;
  std::string_view pattern{};  ///< `{name}` stands for exactly one segment
  std::string_view name{};     ///< operationId
  Authentication authentication = Authentication::none;
  std::optional<access::Action> action{};  ///< what the token must allow; policy.hpp has the scopes
  TrafficClass route_class = TrafficClass::admin;
  RateRule rate = RateRule::none;
  RouteBreaker breaker = RouteBreaker::none;
  std::chrono::milliseconds deadline{};  ///< 0 is none, and the server does not start
  RouteBody body = RouteBody::none;
  std::uint64_t body_limit_bytes = 0;  ///< 0 with a body: the intake's configured limit
  std::uint16_t success = 200;
  std::string_view produces = "application/json";
  std::string_view summary{};

  [[nodiscard]] bool limit_from_settings() const {
    return body != RouteBody::none && body_limit_bytes == 0;
  }
};

[[nodiscard]] std::span<const Route> intake_routes();
[[nodiscard]] std::span<const Route> admin_routes();

/// Why a server with these routes must not start: no deadline, no summary, or twice the same.
[[nodiscard]] std::optional<std::string> fault_of(std::span<const Route> routes);
[[nodiscard]] std::string_view name_of(Method method);

struct RouteMatch {
  const Route* route = nullptr;      ///< nullptr: no such path, or not this method
  std::string_view parameter;        ///< what stood for the first hole, still percent-encoded
  std::string_view allowed_methods;  ///< path known, method not: the Allow header
};

/// HEAD matches GET.
[[nodiscard]] RouteMatch match_route(std::span<const Route> routes, Method method,
                                     std::string_view path);

/// The value of a query parameter, percent-decoded; nothing when absent, repeated or malformed.
[[nodiscard]] std::optional<std::string> query_parameter(std::string_view query,
                                                         std::string_view name);
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

}  // namespace vesper
