#include "flows/intake_service.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "flows/replies.hpp"
#include "flows/submission.hpp"

namespace vesper {
namespace {

Counter counter_of(admission::RefusedFor why) {
  switch (why) {
    case admission::RefusedFor::journal_wait:
      return Counter::refused_for_journal;
    case admission::RefusedFor::deadline:
      return Counter::refused_for_deadline;
    case admission::RefusedFor::loop_wait:
    case admission::RefusedFor::nothing:
      break;
  }
  return Counter::refused_for_loop;
}

constexpr Duration key_patience = 1s;

bool depends_on_keys(access::AccessFault fault) {
  return access::is_retryable(fault) || fault == access::AccessFault::unknown_key;
}

// Only small requests: their bytes are held for a caller whom nobody knows yet.
bool may_wait_for_keys(const RequestHead& head) {
  constexpr std::uint64_t body_bytes_max = 64 << 10;
  return !head.chunked && (!head.has_content_length || head.content_length <= body_bytes_max);
}

std::string_view authorization_of(const RequestHead& head) {
  std::size_t count = 0;
  const Header* header = head.find("authorization", &count);
  return header == nullptr ? std::string_view{} : count == 1 ? header->value : "twice";
}

}  // namespace

IntakeService::IntakeService(const IntakeSettings& settings, const Parts& parts)
    : settings_(settings),
      parts_(parts),
      random_(parts.entropy.next()),
      keys_(parts.keys),
      authenticator_(settings.tokens, {parts.entropy.next(), parts.entropy.next()}),
      door_(settings.door),
      gate_({parts.fair_use,
             parts.limits,
             parts.catalog,
             parts.clock,
             parts.telemetry,
             parts.slots,
             random_,
             {parts.entropy.next(), parts.entropy.next()}}),
      addresses_({parts.fair_use, parts.limits, settings_.proxies, parts.telemetry, random_}),
      ingest_(parts.clock, parts.telemetry, parts.journal, parts.catalog, random_, gate_),
      reader_(parts.journal, parts.bundles, random_),
      trials_(parts.catalog, parts.keeper, random_) {}

bool IntakeService::begin(Exchange& exchange) {
  const auto routes = intake_routes();
  const RouteMatch match = match_route(routes, exchange.head.method, exchange.head.path);
  if (match.route == nullptr)
    return addresses_.refuse(exchange) || answer_unrouted(exchange, match);
  const Route& route = *match.route;
  exchange.route = static_cast<std::uint16_t>(match.route - routes.data());
  set_deadline(exchange, route);
  if (route.id == RouteId::healthz) {
    Health::write_alive(exchange.reply);
    return true;
  }
  if (route.id == RouteId::readyz) {
    parts_.health.write_ready(exchange.reply);
    return true;
  }
  if (parts_.health.stopping()) {
    refuse_for_now(exchange.reply, 503, IssueCode::transient,
                   "The server is stopping; nothing was stored. Send the same bytes again.", 2,
                   random_);
    return true;
  }
  if (addresses_.refuse(exchange)) return true;
  gate_.begin(exchange.started);
  if (gate_.refuse_class(exchange, route)) return true;
  if (refuse_at_door(exchange, route)) return true;
  if (route.action && refuse_caller(exchange, *route.action)) return true;
  if (exchange.caller && gate_.refuse_share(exchange)) return true;
  if (exchange.caller && gate_.refuse_rate(exchange, route)) return true;
  if (!accepts_json(exchange.head)) {
    refuse(exchange.reply, 406, IssueCode::not_supported,
           "Accept must allow application/json and application/fhir+json");
    return true;
  }
  return refuse_body(exchange, route);
}

bool IntakeService::refuse_at_door(Exchange& exchange, const Route& route) {
  const JournalLoad journal = parts_.journal.load();
  const admission::Asked asked{.what = route.route_class,
                               .waited = exchange.waited,
                               .journal_wait = journal.wait,
                               .journal_queue = journal.queue,
                               .journal_commit = journal.commit,
                               .remaining = exchange.deadline.remaining(exchange.started),
                               .surplus = exchange.surplus};
  const auto decision = door_.ask(asked, exchange.started);
  const bool tried_admits =
      !tried_ || tried_->ask(asked, exchange.started).verdict == admission::Verdict::admit;
  if (decision.verdict == admission::Verdict::admit) {
    if (!tried_admits) parts_.telemetry.count(Counter::would_refuse_at_door);
    return false;
  }
  if (decision.verdict == admission::Verdict::crowded &&
      gate_.may_ask_for_share(route, asked.waited, counter_of(decision.why)))
    return false;
  parts_.telemetry.count(counter_of(decision.why));
  refuse_for_load(exchange.reply, parts_.slots.promise(exchange.started, journal.rate_per_s));
  return true;
}

bool IntakeService::answer_unrouted(Exchange& exchange, const RouteMatch& match) {
  if (match.allowed_methods.empty()) {
    refuse(exchange.reply, 404, IssueCode::not_found, "There is no such resource.");
    return true;
  }
  refuse(exchange.reply, 405, IssueCode::not_supported, "This resource has no such method.");
  exchange.reply.add_header("Allow", match.allowed_methods);
  return true;
}

IntakeService::Accepted IntakeService::authenticate(std::string_view authorization) {
  return authenticator_.authenticate(authorization, keys_.current(), parts_.clock.wall(), &gate_);
}

bool IntakeService::refuse_caller(Exchange& exchange, access::Action action) {
  const std::string_view authorization = authorization_of(exchange.head);
  auto accepted = authenticate(authorization);
  bool come_again = false;
  if (!accepted && depends_on_keys(accepted.error().fault)) {
    const KeyAnswer answer = parts_.keys.ask(accepted.error().issuer, accepted.error().kid);
    come_again = answer == KeyAnswer::come_again;
    if (answer == KeyAnswer::known_now) accepted = authenticate(authorization);
  }
  if (come_again && may_wait_for_keys(exchange.head) && !gate_.crowded()) return false;
  return refuse_unless_accepted(exchange, action, accepted, come_again);
}

bool IntakeService::refuse_unless_accepted(Exchange& exchange, access::Action action,
                                           Accepted& accepted, bool come_again) {
  if (!accepted && accepted.error().fault == access::AccessFault::busy) {
    parts_.telemetry.count(Counter::refused_for_cold);
    refuse_for_load(exchange.reply, parts_.slots.promise(exchange.started));
    return true;
  }
  if (!accepted) {
    parts_.telemetry.count(Counter::tokens_refused);
    refuse_for_access(exchange.reply, accepted.error().fault, come_again, random_);
    return true;
  }
  parts_.telemetry.count(accepted->from_cache ? Counter::tokens_cached : Counter::tokens_verified);
  exchange.caller = std::move(accepted->caller);
  if (access::may_ever(action, *exchange.caller)) return false;
  refuse(exchange.reply, 403, IssueCode::forbidden, access::text_of(access::Decision::no_scope));
  return true;
}

// The first token of a new key comes while the key is being fetched: a moment's wait spares its
// sender a second try. Nothing is done for it before its token has verified.
asio::awaitable<void> IntakeService::serve_when_keys_are_settled(Exchange& exchange) {
  const Route& route = intake_routes()[exchange.route];
  const std::string_view authorization = authorization_of(exchange.head);
  gate_.begin(parts_.clock.now());
  auto accepted = authenticate(authorization);
  bool come_again = false;
  if (!accepted && depends_on_keys(accepted.error().fault)) {
    const Deadline patience{std::min(exchange.deadline.at, parts_.clock.now() + key_patience)};
    const KeyAnswer answer =
        co_await parts_.keys.settle(accepted.error().issuer, accepted.error().kid, patience);
    come_again = answer == KeyAnswer::come_again;
    gate_.begin(parts_.clock.now());
    if (answer == KeyAnswer::known_now) accepted = authenticate(authorization);
  }
  if (refuse_unless_accepted(exchange, *route.action, accepted, come_again)) co_return;
  if (gate_.refuse_share(exchange) || gate_.refuse_rate(exchange, route)) co_return;
  co_await dispatch(exchange);
}

bool IntakeService::refuse_body(Exchange& exchange, const Route& route) {
  exchange.body_limit_bytes =
      route.limit_from_settings() ? settings_.body_limit_bytes : route.body_limit_bytes;
  const RequestHead& head = exchange.head;
  if (route.body == RouteBody::none) {
    exchange.body_limit_bytes = settings_.body_limit_bytes;  // read and ignored
    return false;
  }
  if (!head.has_content_length && !head.chunked) {
    refuse(exchange.reply, 411, IssueCode::required, "Content-Length is required.");
    return true;
  }
  if (head.has_content_length && head.content_length > exchange.body_limit_bytes) {
    refuse(exchange.reply, 413, IssueCode::too_long,
           "The body is larger than this resource takes.");
    return true;
  }
  return false;
}

void IntakeService::set_door(const admission::DoorRules& rules,
                             const std::optional<admission::DoorRules>& tried) {
  door_.set(rules);
  if (!tried)
    tried_.reset();
  else if (tried_)
    tried_->set(*tried);
  else
    tried_.emplace(*tried);
}

Duration IntakeService::allowed_to(const Route& route) const {
  return route.id == RouteId::submit_diary ? settings_.submit_deadline : route.deadline;
}

// A body that comes slowly, but fast enough, must not use up the time for its commit: its sender
// would try for ever. What a body_grace lets through late is smaller than this.
void IntakeService::allow_for_slow_body(Exchange& exchange) const {
  constexpr std::size_t soon_bytes = 4096;
  const RequestHead& head = exchange.head;
  if (exchange.body.size() <= soon_bytes || head.find("x-request-timeout-ms") != nullptr) return;
  exchange.deadline = {parts_.clock.now() + allowed_to(intake_routes()[exchange.route])};
}

void IntakeService::set_deadline(Exchange& exchange, const Route& route) const {
  Duration allowed = allowed_to(route);
  if (const Header* header = exchange.head.find("x-request-timeout-ms")) {
    std::uint32_t milliseconds = 0;
    const auto [end, fault] = std::from_chars(
        header->value.data(), header->value.data() + header->value.size(), milliseconds);
    if (fault == std::errc{} && end == header->value.data() + header->value.size())
      allowed = std::min<Duration>(allowed, std::chrono::milliseconds{milliseconds});
  }
  exchange.deadline = {exchange.started + allowed};
}

asio::awaitable<void> IntakeService::list_receipt_keys(Exchange& exchange) {
  exchange.reply.status = 200;
  exchange.reply.content_type = "application/jwk-set+json";
  exchange.reply.body = parts_.receipt_keys;
  co_return;
}

asio::awaitable<void> IntakeService::serve(Exchange& exchange) {
  if (intake_routes()[exchange.route].action && exchange.caller == nullptr)
    return serve_when_keys_are_settled(exchange);
  return dispatch(exchange);
}

asio::awaitable<void> IntakeService::dispatch(Exchange& exchange) {
  const Route& route = intake_routes()[exchange.route];
  const std::string_view parameter =
      match_route(intake_routes(), exchange.head.method, exchange.head.path).parameter;
  switch (route.id) {
    case RouteId::submit_diary:
      allow_for_slow_body(exchange);
      return ingest_.run(exchange);
    case RouteId::read_diary:
      return reader_.run(exchange, parameter);
    case RouteId::read_trial:
      return trials_.read(exchange, parameter);
    case RouteId::read_trial_history:
      return trials_.history(exchange, parameter);
    case RouteId::publish_trial:
      return trials_.publish(exchange, parameter);
    case RouteId::receipt_keys:
      return list_receipt_keys(exchange);
    case RouteId::healthz:
    case RouteId::readyz:
    case RouteId::of_admin:
      break;
  }
  std::unreachable();  // answered by begin()
}

void IntakeService::explain(std::uint16_t status, std::string_view diagnostics, Reply& reply) {
  refuse(reply, status, code_for_status(status), diagnostics);
  const std::uint32_t least = status == 429 ? 2 : 1;  // one connection has to end first
  if (status == 503 || status == 429)
    reply.add_header("Retry-After", std::to_string(least + random_.below(3 * least)));
}

}  // namespace vesper
