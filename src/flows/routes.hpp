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
  readyz
};

/// One row of the route table: all that is decided before a handler runs.
struct Route {
  RouteId id;
  Method method;
  std::string_view pattern;              ///< `{}` stands for exactly one segment
  std::optional<access::Action> action;  ///< what a caller must be allowed to do; none: anyone
  std::chrono::milliseconds deadline;
  std::uint64_t body_limit_bytes;  ///< 0: no body is read
  bool limit_from_settings;        ///< the intake's configured body limit applies instead
};

[[nodiscard]] std::span<const Route> intake_routes();

struct RouteMatch {
  const Route* route = nullptr;      ///< nullptr: no such path, or not this method
  std::string_view parameter;        ///< what stood for `{}`, still percent-encoded
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
