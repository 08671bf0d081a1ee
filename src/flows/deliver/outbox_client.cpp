#include "flows/deliver/outbox_client.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/uuid.hpp"

namespace vesper {
namespace {

/// The route of a command; nothing, and `err` filled, when it is incomplete.
std::optional<std::string> route_of(const OutboxCommand& command, std::string& err) {
  constexpr std::array<std::string_view, 6> verbs{"list", "show",  "redrive",
                                                  "skip", "pause", "resume"};
  if (std::ranges::find(verbs, command.verb) == verbs.end()) {
    err = "outbox knows list, show, redrive, skip, pause and resume, not " + command.verb;
    return std::nullopt;
  }
  if (command.verb == "list") return "/outbox";
  if (command.destination.empty() ||
      command.destination.find_first_of("/?# %") != std::string::npos) {
    err = "outbox " + command.verb + " needs the name of a destination, as `outbox list` prints it";
    return std::nullopt;
  }
  std::string route = "/outbox/" + command.destination;
  if (command.verb == "show") return route;
  route += "/" + command.verb;
  if (command.verb == "pause" || command.verb == "resume") return route;
  if (!parse_uuid(command.delivery_id)) {
    err = "outbox " + command.verb + " needs a delivery id, as `outbox show` prints it";
    return std::nullopt;
  }
  if (command.verb == "skip" && command.reason.empty()) {
    err = "to skip a diary is to give it up: say why with --reason";
    return std::nullopt;
  }
  return route + "/" + command.delivery_id;
}

std::string_view why_no_answer(FetchFault fault) {
  switch (fault) {
    case FetchFault::refused:
      return "nothing listens there";
    case FetchFault::timed_out:
      return "no answer in time";
    case FetchFault::cut:
      return "the connection was cut";
    case FetchFault::not_http:
      return "what answers is not HTTP";
    case FetchFault::tls:
      return "the TLS connection failed";
    case FetchFault::too_large:
      return "the answer is too large";
    case FetchFault::bad_url:
      return "--server is http://HOST:PORT";
  }
  return "no answer";
}

std::string why_refused(const FetchReply& reply) {
  Arena arena;
  const auto document = parse_json(reply.body, arena);
  if (document)
    if (const auto* error = (*document)->find("error"); error && error->is(JsonKind::string))
      return std::string{error->text};
  return "the server answered " + std::to_string(reply.status);
}

}  // namespace

asio::awaitable<OutboxCommandResult> run_outbox_command(const OutboxCommand& command,
                                                        HttpFetch& fetch, Clock& clock) {
  OutboxCommandResult result;
  const auto route = route_of(command, result.err);
  if (!route) {
    result.exit_status = 2;
    co_return result;
  }
  const bool changes = command.verb != "list" && command.verb != "show";
  std::string server = command.server;
  while (server.ends_with('/')) server.pop_back();
  const std::string url = server + *route + (command.json ? "" : "?format=text");
  const std::string authorization = command.token.empty() ? "" : "Bearer " + command.token;
  std::string body;
  if (changes) {
    body = "{\"reason\":\"";
    append_json_escaped(body, command.reason);
    body += "\"}";
  }
  const auto reply = co_await fetch.fetch({.method = changes ? "POST" : "GET",
                                           .url = url,
                                           .content_type = changes ? "application/json" : "",
                                           .body = body,
                                           .authorization = authorization,
                                           .headers = {}},
                                          Deadline{clock.now() + 10s});
  if (!reply) {
    result.exit_status = 2;  // not an answer: the address, or the server, is not as it should be
    result.err = command.server + ": " + std::string{why_no_answer(reply.error())};
  } else if (reply->status != 200) {
    result.exit_status = 1;
    result.err = why_refused(*reply);
  } else {
    result.out = reply->body;
    if (!result.out.ends_with('\n')) result.out += '\n';
  }
  co_return result;
}

}  // namespace vesper
