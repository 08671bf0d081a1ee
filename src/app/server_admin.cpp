// What the admin port serves, and what makes the node unready.
#include <fmt/format.h>

#include "app/admin_guard.hpp"
#include "app/server.hpp"

#include "flows/deliver/outbox_api.hpp"
#include "flows/finish_by.hpp"
#include "flows/openapi.hpp"
#include "flows/replies.hpp"
#include "flows/routes.hpp"
#include "flows/trial_routes.hpp"

namespace vesper {
namespace {

constexpr Duration journal_stall = 3s;

// What is there for a person with a browser; scripts use the addresses behind the links.
constexpr std::string_view admin_index = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Vesper</title></head>
<body>
<h1>Vesper</h1>
<ul>
<li><a href="/healthz">/healthz</a>: alive</li>
<li><a href="/readyz">/readyz</a>: willing to take traffic, with reasons</li>
<li><a href="/metrics">/metrics</a>: figures of every stage, for Prometheus</li>
<li><a href="/debug/pprof/">/debug/pprof/</a>: every live task</li>
<li><a href="/debug/vars">/debug/vars</a>: queues, memory, tasks by scope</li>
<li><a href="/outbox?format=text">/outbox</a>: what is owed to whom</li>
<li><a href="/openapi.json">/openapi.json</a>: every route of both ports, for programs</li>
<li><code>POST /drain</code>, <code>POST /undrain</code>: leave and rejoin the load balancer</li>
</ul>
</body></html>
)";

std::string_view header_of(const Exchange& exchange, std::string_view name) {
  const Header* header = exchange.head.find(name);
  return header == nullptr ? std::string_view{} : header->value;
}

std::string actor_of(const Exchange& exchange) {
  if (exchange.caller == nullptr) return "local";
  return exchange.caller->issuer + " " + exchange.caller->subject;
}

asio::awaitable<bool> write_down(JournalStore& journal, AuditEvent event) {
  co_return (co_await journal.record(event)).has_value();
}

}  // namespace

void Server::add_health_causes() {
  health_.add_cause("journal", [this]() -> std::optional<std::string> {
    const JournalHealth journal = store_->health();
    if (journal.broken) return "the journal has failed";
    if (journal.stalled < journal_stall) return {};
    return fmt::format("a commit has not returned for {} s",
                       std::chrono::duration_cast<std::chrono::seconds>(journal.stalled).count());
  });
  // One identity provider that cannot be reached harms its own users only; none at all, everyone.
  health_.add_cause("keys", [this]() -> std::optional<std::string> {
    if (keys_->without_keys().size() < keys_->ring()->issuers.size()) return {};
    return "no issuer's keys are loaded yet";
  });
  health_.add_cause("disk", [this]() -> std::optional<std::string> {
    if (!store_->health().disk_reserve) return {};
    return "the disk reserve is reached; new diaries get 507";
  });
}

bool Server::guard_admin(Exchange& exchange, bool changes) {
  AdminRequest request;
  request.method = exchange.head.method_name;
  request.changes = changes;
  request.host = header_of(exchange, "host");
  request.origin = header_of(exchange, "origin");
  request.fetch_site = header_of(exchange, "sec-fetch-site");
  const bool token_needed = config_.admin.authentication == AdminAuthentication::token;
  if (token_needed) {
    auto caller = admin_door_.authenticate(header_of(exchange, "authorization"), *keys_->ring(),
                                           clock_.wall());
    request.ops_token = caller && access::may_ever(access::Action::operate, *caller->caller);
    if (caller) exchange.caller = std::move(caller->caller);
  }
  switch (judge_admin_request(request, {token_needed, config_.admin.allowed_hosts})) {
    case AdminVerdict::allowed:
      return false;
    case AdminVerdict::wrong_method:
      refuse(exchange.reply, 405, IssueCode::not_supported, "This changes something: use POST.");
      exchange.reply.add_header("Allow", "POST");
      return true;
    case AdminVerdict::unknown_host:
      refuse(exchange.reply, 403, IssueCode::forbidden,
             "Host is neither loopback nor one of admin.allowed_hosts.");
      return true;
    case AdminVerdict::foreign_origin:
      refuse(exchange.reply, 403, IssueCode::forbidden, "Origin is another site's.");
      return true;
    case AdminVerdict::token_missing:
      refuse(exchange.reply, 401, IssueCode::login, "A token with scope ops is needed.");
      exchange.reply.add_header("WWW-Authenticate", R"(Bearer realm="vesper-admin")");
      return true;
  }
  std::unreachable();
}

void Server::add_admin_routes() {
  admin_service_ = std::make_unique<AdminService>(
      [this](Exchange& exchange, bool changes) { return guard_admin(exchange, changes); },
      [](std::uint16_t status, std::string_view diagnostics, Reply& reply) {
        refuse(reply, status, code_for_status(status), diagnostics);
      });
  const auto probe = [this](std::string_view path, auto write) {
    admin_service_->add(Method::get, path,
                        [write](Exchange& exchange, std::string_view) -> asio::awaitable<void> {
                          write(exchange.reply);
                          co_return;
                        });
  };
  probe("/healthz", [](Reply& reply) { Health::write_alive(reply); });
  probe("/readyz", [this](Reply& reply) { health_.write_ready(reply); });
  add_index();
  admin_service_->add(Method::get, "/metrics",
                      [this](Exchange& exchange, std::string_view) -> asio::awaitable<void> {
                        exchange.reply.status = 200;
                        exchange.reply.content_type = metrics_content_type;
                        measure_http();
                        metrics_.expose(exchange.reply.body);
                        if (delivery_) delivery_->expose(exchange.reply.body);
                        co_return;
                      });
  admin_service_->add(Method::get, "/openapi.json",
                      [](Exchange& exchange, std::string_view) -> asio::awaitable<void> {
                        exchange.reply.status = 200;
                        exchange.reply.content_type = json_type;
                        exchange.reply.body = openapi_document(intake_routes(), admin_routes());
                        co_return;
                      });
  add_drain_route("/drain", true);
  add_drain_route("/undrain", false);
  add_diagnosis_routes();
  add_outbox_routes();
  add_trial_routes();
  add_limits_routes();
}

// An operator publishes on the admin port (`vesper trial publish --server`): whoever passes the
// guard may touch every trial, and the audit names the token's holder, or `local`.
void Server::add_trial_routes() {
  admin_trials_ = std::make_unique<TrialRoutes>(admin_catalog_, *keeper_, admin_random_);
  const auto as_operator = [](Exchange& exchange, std::string_view trial) {
    Caller caller;
    caller.issuer = "local";
    if (exchange.caller) caller = *exchange.caller;
    caller.trials = {percent_decode(trial).value_or("")};
    exchange.caller = std::make_shared<const Caller>(std::move(caller));
  };
  constexpr std::string_view pattern = "/trials/{trialId}";
  admin_service_->add(Method::get, pattern,
                      [this, as_operator](Exchange& exchange, std::string_view trial) {
                        as_operator(exchange, trial);
                        return admin_trials_->read(exchange, trial);
                      });
  admin_service_->add(Method::post, pattern,
                      [this, as_operator](Exchange& exchange, std::string_view trial) {
                        as_operator(exchange, trial);
                        return admin_trials_->publish(exchange, trial);
                      });
}

void Server::add_limits_routes() {
  limits_api_ = std::make_unique<LimitsApi>(*limits_, *fair_use_);
  using Show = asio::awaitable<void> (LimitsApi::*)(Exchange&);
  using Change = asio::awaitable<void> (LimitsApi::*)(Exchange&, std::string);
  const auto show = [this](std::string_view pattern, Show serve) {
    admin_service_->add(Method::get, pattern, [this, serve](Exchange& exchange, std::string_view) {
      return (*limits_api_.*serve)(exchange);
    });
  };
  const auto change = [this](std::string_view pattern, Change serve) {
    admin_service_->add(Method::post, pattern, [this, serve](Exchange& exchange, std::string_view) {
      return (*limits_api_.*serve)(exchange, actor_of(exchange));
    });
  };
  show("/limits", &LimitsApi::show_limits);
  change("/limits", &LimitsApi::set_limits);
  change("/limits/reset", &LimitsApi::reset_limits);
  show("/degradation", &LimitsApi::show_degradation);
  change("/degradation", &LimitsApi::set_degradation);
}

void Server::add_index() {
  admin_service_->add(Method::get, "/",
                      [](Exchange& exchange, std::string_view) -> asio::awaitable<void> {
                        exchange.reply.status = 200;
                        exchange.reply.content_type = "text/html; charset=utf-8";
                        exchange.reply.add_header("Content-Security-Policy", "default-src 'none'");
                        exchange.reply.body = admin_index;
                        co_return;
                      });
}

void Server::add_outbox_routes() {
  outbox_api_ = std::make_unique<OutboxApi>(*delivery_);
  const auto serve = [this](Exchange& exchange, std::string_view) -> asio::awaitable<void> {
    const std::string actor = actor_of(exchange);
    co_await outbox_api_->serve(exchange.head, exchange.body, actor, exchange.reply,
                                exchange.deadline);
  };
  for (const Route& route : admin_routes())
    if (route.pattern.starts_with("/outbox"))
      admin_service_->add(route.method, route.pattern, serve);
}

void Server::add_drain_route(std::string path, bool on) {
  admin_service_->add(
      Method::post, path,
      [this, on, path](Exchange& exchange, std::string_view) -> asio::awaitable<void> {
        health_.drain(on);
        log_.write(LogLevel::warn, on ? "drain" : "undrain",
                   on ? "this node leaves the load balancer" : "this node rejoins it");
        AuditEvent event{path.substr(1), actor_of(exchange), "node",
                         std::string{header_of(exchange, "vesper-reason")}, clock_.wall()};
        // A broken journal, or a slow one, must not keep a sick node in the load balancer.
        (void)co_await finish_by(fair_use_scope_, control_.executor(), clock_, "audit",
                                 exchange.deadline, write_down(*store_, std::move(event)));
        exchange.reply.status = 200;
        exchange.reply.content_type = json_type;
        exchange.reply.body = on ? R"({"draining":true})" : R"({"draining":false})";
      });
}

}  // namespace vesper
