#include "flows/routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vesper {
namespace {

using access::Action;
constexpr std::uint64_t trial_bytes_max = 16ull << 20, change_bytes_max = 64ull << 10;

// clang-format off
constexpr std::array intake_table{
    Route{.id = RouteId::submit_diary, .method = Method::post, .pattern = "/patient/data",
          .name = "submitDiary", .authentication = Authentication::token,
          .action = Action::submit_diary, .route_class = TrafficClass::submissions,
          .rate = RateRule::submissions, .breaker = RouteBreaker::journal, .deadline = 10s,
          .body = RouteBody::diary, .success = 201, .summary = "One diary; answered once it is durable"},
    Route{.id = RouteId::read_diary, .method = Method::get, .pattern = "/patient/data/{submissionId}",
          .name = "readDiary", .authentication = Authentication::token,
          .action = Action::read_diary, .route_class = TrafficClass::reads,
          .rate = RateRule::reads, .deadline = 5s,
          .summary = "Receipt, bundle and delivery of one diary"},
    Route{.id = RouteId::read_trial, .method = Method::get, .pattern = "/trials/{trialId}",
          .name = "readTrial", .authentication = Authentication::token,
          .action = Action::read_trial, .route_class = TrafficClass::reads,
          .rate = RateRule::reads, .deadline = 5s,
          .summary = "The trial document in force, with its ETag"},
    Route{.id = RouteId::read_trial_history, .method = Method::get, .pattern = "/trials/{trialId}/history",
          .name = "readTrialHistory", .authentication = Authentication::token,
          .action = Action::read_trial, .route_class = TrafficClass::exports,
          .rate = RateRule::reads, .deadline = 5s,
          .summary = "Every revision of the trial: who published it, when and why"},
    Route{.id = RouteId::publish_trial, .method = Method::put, .pattern = "/trials/{trialId}",
          .name = "publishTrial", .authentication = Authentication::token,
          .action = Action::publish_trial, .route_class = TrafficClass::admin,
          .breaker = RouteBreaker::journal, .deadline = 10s, .body = RouteBody::trial_document,
          .body_limit_bytes = trial_bytes_max, .summary = "Publish a trial document"},
    Route{.id = RouteId::receipt_keys, .method = Method::get, .pattern = "/.well-known/vesper-receipt-keys",
          .name = "readReceiptKeys", .route_class = TrafficClass::reads, .deadline = 1s,
          .produces = "application/jwk-set+json", .summary = "JWK set that verifies receipts"},
    Route{.id = RouteId::healthz, .method = Method::get, .pattern = "/healthz", .name = "isAlive",
          .route_class = TrafficClass::health, .deadline = 1s, .summary = "Alive"},
    Route{.id = RouteId::readyz, .method = Method::get, .pattern = "/readyz", .name = "isReady",
          .route_class = TrafficClass::health, .deadline = 1s,
          .summary = "Willing to take traffic, with reasons"},
};

constexpr Route operator_reads(std::string_view pattern, std::string_view name,
                               std::string_view summary, std::string_view produces = "application/json") {
  return {.pattern = pattern, .name = name, .authentication = Authentication::operator_reads,
          .deadline = 10s, .produces = produces, .summary = summary};
}
constexpr Route operator_changes(std::string_view pattern, std::string_view name,
                                 std::string_view summary) {
  return {.method = Method::post, .pattern = pattern, .name = name,
          .authentication = Authentication::operator_changes, .action = Action::operate,
          .deadline = 10s, .body = RouteBody::json, .body_limit_bytes = change_bytes_max,
          .summary = summary};
}

constexpr std::array admin_table{
    Route{.pattern = "/healthz", .name = "isAlive", .route_class = TrafficClass::health,
          .deadline = 1s, .summary = "Alive"},
    Route{.pattern = "/readyz", .name = "isReady", .route_class = TrafficClass::health,
          .deadline = 1s, .summary = "Willing to take traffic, with reasons"},
    operator_reads("/", "readConsole", "For a person with a browser", "text/html; charset=utf-8"),
    operator_reads("/metrics", "readMetrics", "Figures of every stage, for Prometheus", "text/plain; version=0.0.4"),
    operator_reads("/debug/vars", "readVars", "Queues, high-water marks, blocked time, memory, tasks by scope"),
    operator_reads("/debug/pprof", "listProfiles", "Which profiles there are", "text/html; charset=utf-8"),
    operator_reads("/debug/pprof/goroutine", "readTasks", "Every live task: debug=0 profile.proto, 1 counts, 2 a block each", "application/octet-stream"),
    operator_reads("/debug/pprof/symbol", "readSymbols", "Names for the addresses of a profile in text", "text/plain; charset=utf-8"),
    Route{.method = Method::post, .pattern = "/debug/pprof/symbol", .name = "askSymbols",
          .authentication = Authentication::operator_reads, .deadline = 10s, .body = RouteBody::json,
          .body_limit_bytes = change_bytes_max, .produces = "text/plain; charset=utf-8",
          .summary = "Names for the addresses of a profile in text"},
    operator_reads("/openapi.json", "readOpenApi", "This description"),
    operator_changes("/drain", "drain", "Leave the load balancer; stay alive"),
    operator_changes("/undrain", "undrain", "Rejoin the load balancer"),
    operator_reads("/limits", "readLimits", "Limits in force, and who changed them"),
    operator_changes("/limits", "setLimits", "Put other limits in force; Vesper-Reason is audited"),
    operator_changes("/limits/reset", "resetLimits", "Back to the limits of the configuration"),
    operator_reads("/degradation", "readDegradation", "What the server has given up, since when and why"),
    operator_changes("/degradation", "setDegradation", "Put a level in force, or leave it to pressure"),
    operator_reads("/outbox", "listOutbox", "What is owed to whom"),
    operator_reads("/outbox/{destination}", "showOutbox", "What is parked at a destination"),
    operator_changes("/outbox/{destination}/pause", "pauseOutbox", "Deliver nothing more there"),
    operator_changes("/outbox/{destination}/resume", "resumeOutbox", "Deliver there again"),
    operator_changes("/outbox/{destination}/redrive/{deliveryId}", "redriveDelivery", "Owe a parked delivery again"),
    operator_changes("/outbox/{destination}/skip/{deliveryId}", "skipDelivery", "Give up a parked delivery"),
    operator_reads("/trials/{trialId}", "readTrial", "The trial document in force, with its ETag"),
    Route{.method = Method::post, .pattern = "/trials/{trialId}", .name = "publishTrialAsOperator",
          .authentication = Authentication::operator_changes, .action = Action::operate,
          .deadline = 30s, .body = RouteBody::trial_document, .body_limit_bytes = trial_bytes_max,
          .summary = "Publish a trial document"},
};
// clang-format on

// True when `path` fits `pattern`; what stands for the first hole is left in `parameter`.
bool fits(std::string_view pattern, std::string_view path, std::string_view& parameter) {
  std::size_t hole = pattern.find('{');
  if (hole == std::string_view::npos) return pattern == path;
  bool first = true;
  for (; hole != std::string_view::npos; hole = pattern.find('{')) {
    if (!path.starts_with(pattern.substr(0, hole))) return false;
    path.remove_prefix(hole);
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment.empty()) return false;
    if (std::exchange(first, false)) parameter = segment;
    path.remove_prefix(segment.size());
    pattern.remove_prefix(pattern.find('}') + 1);
  }
  return path == pattern;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::span<const Route> intake_routes() {
  return intake_table;
}
std::span<const Route> admin_routes() {
  return admin_table;
}

std::optional<std::string> fault_of(std::span<const Route> routes) {
  for (const Route& route : routes) {
    const auto complain = [&](std::string_view what) {
      return fmt::format("route {} {} {}", name_of(route.method), route.pattern, what);
    };
    if (route.deadline <= std::chrono::milliseconds::zero()) return complain("states no deadline");
    if (route.name.empty() || route.summary.empty()) return complain("states no name or summary");
    const auto same = [&](const Route& other) {
      return other.method == route.method && other.pattern == route.pattern;
    };
    if (std::ranges::count_if(routes, same) != 1) return complain("stands twice in the table");
  }
  return {};
}

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::del:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      break;
  }
  return "other";
}

RouteMatch match_route(std::span<const Route> routes, Method method, std::string_view path) {
  static constexpr std::string_view allowed[] = {
      "",    "GET, HEAD",      "POST",      "GET, HEAD, POST",
      "PUT", "GET, HEAD, PUT", "POST, PUT", "GET, HEAD, POST, PUT"};
  const Method wanted = method == Method::head ? Method::get : method;
  unsigned known = 0;
  for (const auto& route : routes) {
    std::string_view parameter;
    if (!fits(route.pattern, path, parameter)) continue;
    if (route.method == wanted) return {&route, parameter, {}};
    known |= route.method == Method::get ? 1u : route.method == Method::post ? 2u : 4u;
  }
  return {nullptr, {}, allowed[known]};
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
