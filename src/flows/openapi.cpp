#include "flows/openapi.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "flows/json_text.hpp"
#include "stages/access/policy.hpp"

namespace vesper {
namespace {

constexpr std::string_view title = "Vesper", document_version = "1";

constexpr std::string_view outcome_schema = R"({
      "type": "object", "required": ["resourceType", "issue"],
      "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {"type": "array", "minItems": 1, "items": {
          "type": "object", "required": ["severity", "code"],
          "properties": {"severity": {"enum": ["fatal", "error", "warning", "information"]},
            "code": {"type": "string"}, "diagnostics": {"type": "string"},
            "expression": {"type": "array", "items": {"type": "string"}}}}}}
      })";
constexpr std::string_view diary_schema = R"({
      "type": "object",
      "required": ["trialId", "subjectId", "form", "formVersion", "authored", "answers"],
      "properties": {
        "submissionId": {"type": "string", "format": "uuid"},
        "trialId": {"type": "string"}, "subjectId": {"type": "string"},
        "form": {"type": "string"}, "formVersion": {"type": "string"},
        "authored": {"type": "string"}, "language": {"type": "string"},
        "device": {"type": "object"}, "amends": {"type": "string", "format": "uuid"},
        "reason": {"type": "string"}, "answers": {"type": "object"}}
      })";

std::string_view name_of(TrafficClass route_class) {
  switch (route_class) {
    case TrafficClass::health:
      return "health";
    case TrafficClass::admin:
      return "admin";
    case TrafficClass::submissions:
      return "submissions";
    case TrafficClass::reads:
      return "reads";
    case TrafficClass::exports:
      return "exports";
  }
  std::unreachable();
}

std::string_view name_of(RateRule rule) {
  switch (rule) {
    case RateRule::none:
      return "none";
    case RateRule::submissions:
      return "submissions";
    case RateRule::reads:
      return "reads";
  }
  std::unreachable();
}

std::string_view name_of(Scope scope) {
  switch (scope) {
    case Scope::patient:
      return "patient";
    case Scope::site:
      return "site";
    case Scope::service:
      return "service";
    case Scope::trial_admin:
      return "trial-admin";
    case Scope::ops:
      return "ops";
    case Scope::none:
      break;
  }
  return "none";
}

std::string_view name_of(Authentication authentication) {
  switch (authentication) {
    case Authentication::none:
      return "none";
    case Authentication::token:
      return "token";
    case Authentication::operator_reads:
      return "operator";
    case Authentication::operator_changes:
      return "operator, to change";
  }
  std::unreachable();
}

bool on_intake(const Route& route) {
  return route.id != RouteId::of_admin;
}

// Both ports answer it alike but for who may ask.
bool same_operation(const Route& a, const Route& b) {
  return a.method == b.method && a.pattern == b.pattern;
}

void write_extension(JsonText& json, const Route& route) {
  json.open('{').pair("port", on_intake(route) ? "intake" : "admin");
  json.pair("authentication", name_of(route.authentication));
  json.key("scopes").open('[');
  if (route.action)
    for (const access::Rule& rule : access::policy)
      if (rule.action == *route.action) json.text(name_of(rule.scope));
  json.close(']').pair("class", name_of(route.route_class)).pair("rate", name_of(route.rate));
  json.pair("breaker", route.breaker == RouteBreaker::journal ? "journal" : "none");
  json.key("deadlineMs").number(static_cast<std::uint64_t>(route.deadline.count()));
  json.key("bodyMaxBytes");
  if (route.limit_from_settings())
    json.text("intake.body_max_bytes");
  else
    json.number(route.body_limit_bytes);
  json.close('}');
}

void write_parameters(JsonText& json, const Route& route) {
  json.key("parameters").open('[');
  std::string_view rest = route.pattern;
  for (std::size_t at = rest.find('{'); at != std::string_view::npos; at = rest.find('{')) {
    rest.remove_prefix(at + 1);
    json.open('{').pair("name", rest.substr(0, rest.find('}'))).pair("in", "path");
    json.key("required").flag(true).key("schema").raw(R"({"type": "string"})").close('}');
  }
  if (on_intake(route) && route.authentication == Authentication::token)
    json.raw(R"({"$ref": "#/components/parameters/RequestTimeout"})");
  if (route.body == RouteBody::diary)
    json.raw(R"({"$ref": "#/components/parameters/IdempotencyKey"})");
  json.close(']');
}

void write_body(JsonText& json, const Route& route) {
  if (route.body == RouteBody::none) return;
  json.key("requestBody").open('{').key("required").flag(route.body != RouteBody::json);
  json.key("content").open('{');
  json.key("application/json").open('{').key("schema");
  json.raw(route.body == RouteBody::diary ? R"({"$ref": "#/components/schemas/Diary"})"
                                          : R"({"type": "object"})");
  json.close('}');
  if (route.body == RouteBody::diary)
    for (const auto type : {"application/xml", "application/odm+xml", "application/fhir+json"})
      json.key(type).raw(R"({"schema": {}})");
  json.close('}').close('}');
}

std::vector<std::pair<int, std::string_view>> refusals_of(const Route& route) {
  std::vector<std::pair<int, std::string_view>> out;
  const bool diary = route.body == RouteBody::diary;
  if (route.authentication != Authentication::none) {
    out.emplace_back(401, "No credentials, or wrong ones");
    out.emplace_back(403, "Not this trial, subject or site; Host or Origin on the admin port");
  }
  if (route.body != RouteBody::none || route.pattern.contains('{')) {
    if (route.body != RouteBody::none) out.emplace_back(400, "Not parseable");
    if (route.pattern.contains('{') || diary) out.emplace_back(404, "Nothing of the caller's");
  }
  if (route.body != RouteBody::none) out.emplace_back(413, "Larger than the body limit");
  if (on_intake(route) && route.body != RouteBody::none) {
    out.emplace_back(409, "In progress, or changed meanwhile");
    out.emplace_back(411, "No Content-Length");
    out.emplace_back(415, "Not a media type of this route");
    out.emplace_back(422, "Parseable, but not allowed");
    out.emplace_back(507, "Disk reserve reached; nothing stored");
  }
  if (on_intake(route) && route.authentication != Authentication::none)
    out.emplace_back(406, "Accept excludes JSON");
  if (route.body == RouteBody::trial_document) {
    out.emplace_back(412, "Somebody else published meanwhile");
    out.emplace_back(428, "No precondition stated");
  }
  if (on_intake(route) && route.route_class != TrafficClass::health)
    out.emplace_back(429, "Over the rate of address, connection, caller or trial");
  if (route.route_class != TrafficClass::health || route.name == "isReady")
    out.emplace_back(503, "The server protects itself, drains or is not ready");
  std::ranges::sort(out);
  return out;
}

void write_refusal(JsonText& json, int status, std::string_view meaning, bool probe) {
  json.key(std::to_string(status)).open('{').pair("description", meaning);
  if (status == 409 || status == 429 || status == 503 || status == 507)
    json.key("headers").raw(R"({"Retry-After": {"$ref": "#/components/headers/RetryAfter"}})");
  json.key("content").raw(
      probe ? R"({"application/json": {"schema": {"type": "object"}}})"
            : R"({"application/fhir+json": {"schema": {"$ref": "#/components/schemas/Outcome"}}})");
  json.close('}');
}

void write_responses(JsonText& json, const Route& route) {
  json.key("responses").open('{');
  json.key(std::to_string(route.success)).open('{').pair("description", route.summary);
  json.key("content").open('{').key(route.produces.substr(0, route.produces.find(';')));
  json.raw(route.produces.contains("json") ? R"({"schema": {"type": "object"}})"
                                           : R"({"schema": {"type": "string"}})");
  json.close('}').close('}');
  for (const auto& [status, meaning] : refusals_of(route))
    write_refusal(json, status, meaning, route.route_class == TrafficClass::health);
  json.close('}');
}

void write_servers(JsonText& json, bool intake, bool admin) {
  json.key("servers").open('[');
  if (intake)
    json.raw(R"({"url": "http://127.0.0.1:8080", "description": "intake.listen, by default"})");
  if (admin)
    json.raw(R"({"url": "http://127.0.0.1:6060", "description": "admin.listen, by default"})");
  json.close(']');
}

void write_operation(JsonText& json, const Route& route, const Route* twin) {
  std::string method{name_of(route.method)};
  std::ranges::transform(method, method.begin(), [](char c) { return char(c | 0x20); });
  json.key(method).open('{').pair("operationId", route.name).pair("summary", route.summary);
  json.key("tags").open('[').text(name_of(route.route_class)).close(']');
  write_servers(json, on_intake(route), !on_intake(route) || twin != nullptr);
  json.key("security")
      .raw(route.authentication == Authentication::none    ? "[]"
           : route.authentication == Authentication::token ? R"([{"token": []}])"
                                                           : R"([{}, {"token": []}])");
  write_parameters(json, route);
  write_body(json, route);
  write_responses(json, route);
  json.key("x-vesper").open('[');
  write_extension(json, route);
  if (twin != nullptr) write_extension(json, *twin);
  json.close(']').close('}');
}

void write_components(JsonText& json) {
  json.key("components").open('{');
  json.key("securitySchemes").raw(R"({
      "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description":
          "On the admin port only with admin.authentication = \"token\""}
      })");
  json.key("parameters").raw(R"({
      "RequestTimeout": {"name": "X-Request-Timeout-Ms", "in": "header",
        "schema": {"type": "integer", "minimum": 0},
        "description": "Less than the route's own deadline"},
      "IdempotencyKey": {"name": "Idempotency-Key", "in": "header",
        "schema": {"type": "string"},
        "description": "The submission id, a UUID; here, in the body, or in both, then equal"}
      })");
  json.key("headers").raw(R"({
      "RetryAfter": {"description": "Whole seconds, jittered; return between it and 1.2 times it",
        "schema": {"type": "integer", "minimum": 1}}
      })");
  json.key("schemas").open('{').key("Outcome").raw(outcome_schema);
  json.key("Diary").raw(diary_schema).close('}').close('}');
}

}  // namespace

std::string openapi_document(std::span<const Route> intake, std::span<const Route> admin) {
  std::vector<const Route*> rows;
  for (const Route& route : intake) rows.push_back(&route);
  for (const Route& route : admin)
    if (std::ranges::none_of(intake, [&](const Route& i) { return same_operation(i, route); }))
      rows.push_back(&route);
  std::ranges::sort(rows, {},
                    [](const Route* row) { return std::pair{row->pattern, row->method}; });
  JsonText json;
  json.open('{').pair("openapi", "3.1.0").key("info").open('{').pair("title", title);
  json.pair("version", document_version);
  json.pair("summary", "Every route of the intake and admin ports");
  json.key("license").raw(R"({"name": "Apache 2.0", "identifier": "Apache-2.0"})").close('}');
  write_servers(json, true, true);
  json.key("paths").open('{');
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || rows[i - 1]->pattern != rows[i]->pattern) json.key(rows[i]->pattern).open('{');
    const auto twin = std::ranges::find_if(
        admin, [&](const Route& other) { return same_operation(*rows[i], other); });
    write_operation(json, *rows[i], on_intake(*rows[i]) && twin != admin.end() ? &*twin : nullptr);
    if (i + 1 == rows.size() || rows[i + 1]->pattern != rows[i]->pattern) json.close('}');
  }
  json.close('}');
  write_components(json);
  json.close('}');
  return json.take() + "\n";
}

}  // namespace vesper
