#include "flows/deliver/outbox_api.hpp"

#include <utility>

#include "base/encoding.hpp"
#include "flows/finish_by.hpp"

namespace vesper {
namespace {

using Verb = OutboxRequest::Verb;

void refuse_outbox(Reply& reply, std::uint16_t status, std::string_view why) {
  reply.status = status;
  reply.content_type = "application/json";
  reply.body = "{\"error\":\"";
  append_json_escaped(reply.body, why);
  reply.body += "\"}";
}

void refuse_outbox(Reply& reply, StoreFault fault) {
  switch (fault) {
    case StoreFault::not_found:
      return refuse_outbox(reply, 404, "no such delivery is parked at this destination");
    case StoreFault::stale:
      return refuse_outbox(reply, 409, "it has changed meanwhile");
    case StoreFault::disk_reserve:
    case StoreFault::queue_full:
    case StoreFault::timed_out:
    case StoreFault::stopping:
    case StoreFault::departed:
    case StoreFault::broken:
      reply.add_header("Retry-After", "2");
      return refuse_outbox(reply, 503, "the journal did not take it; try again");
  }
  std::unreachable();
}

std::string_view action_of(Verb verb) {
  switch (verb) {
    case Verb::redrive:
      return "outbox.redrive";
    case Verb::skip:
      return "outbox.skip";
    case Verb::pause:
      return "outbox.pause";
    case Verb::resume:
      return "outbox.resume";
    case Verb::list:
    case Verb::show:
      break;
  }
  return "outbox.read";
}

void give(Reply& reply, bool as_text, std::string text) {
  reply.status = 200;
  reply.content_type = as_text ? "text/plain; charset=utf-8" : "application/json";
  reply.body = std::move(text);
}

}  // namespace

asio::awaitable<void> OutboxApi::serve(const RequestHead& head, std::string_view body,
                                       std::string_view actor, Reply& reply, Deadline deadline) {
  const auto request = parse_outbox_request(head.method, head.path, head.query, body);
  if (!request) {
    if (!request.error().allow.empty()) reply.add_header("Allow", request.error().allow);
    refuse_outbox(reply, request.error().status, request.error().why);
    co_return;
  }
  auto answered = co_await finish_by(delivery_.scope(), delivery_.executor(), delivery_.clock(),
                                     "outbox request", deadline,
                                     answer(*request, std::string{actor}, deadline));
  if (!answered) co_return refuse_outbox(reply, StoreFault::timed_out);
  reply = *std::move(answered);
}

// A change is finished also when nobody waits for it any more: what the journal took must be known
// to the destination.
asio::awaitable<Reply> OutboxApi::answer(OutboxRequest request, std::string actor,
                                         Deadline deadline) {
  Reply reply;
  co_await answer(request, actor, deadline, reply);
  co_return reply;
}

asio::awaitable<void> OutboxApi::answer(const OutboxRequest& request, std::string_view actor,
                                        Deadline deadline, Reply& reply) {
  const auto rows = co_await delivery_.list(deadline);
  if (!rows) co_return refuse_outbox(reply, rows.error());
  const WallTime now = delivery_.clock().wall();
  if (request.verb == Verb::list)
    co_return give(reply, request.as_text,
                   request.as_text ? outbox_list_text(*rows, now) : outbox_list_json(*rows, now));
  const bool known = std::ranges::any_of(
      *rows, [&](const OutboxRow& row) { return row.counts.destination == request.destination; });
  if (!known) co_return refuse_outbox(reply, 404, "no such destination");
  if (request.verb != Verb::show) {
    co_await change(request, actor, reply);
    co_return;
  }
  const auto parked =
      co_await delivery_.parked(request.destination, request.after, request.limit, deadline);
  if (!parked) co_return refuse_outbox(reply, parked.error());
  give(reply, request.as_text,
       request.as_text ? outbox_show_text(request.destination, *parked)
                       : outbox_show_json(request.destination, *parked, request.limit));
}

asio::awaitable<void> OutboxApi::change(const OutboxRequest& request, std::string_view actor,
                                        Reply& reply) {
  const bool of_diary = request.verb == Verb::redrive || request.verb == Verb::skip;
  AuditEvent event{.action = std::string{action_of(request.verb)},
                   .actor = std::string{actor},
                   .target = request.destination,
                   .reason = request.reason,
                   .at = delivery_.clock().wall()};
  if (of_diary) event.target += "/" + to_string(request.delivery_id);
  std::expected<void, StoreFault> done;
  if (request.verb == Verb::redrive)
    done = co_await delivery_.redrive(request.destination, request.delivery_id, event);
  else if (request.verb == Verb::skip)
    done = co_await delivery_.skip(request.destination, request.delivery_id, event);
  else
    done = co_await delivery_.pause(request.destination, request.verb == Verb::pause, event);
  if (!done) co_return refuse_outbox(reply, done.error());
  const std::string verb = event.action.substr(7);
  give(reply, request.as_text,
       request.as_text ? "done: " + verb + " " + event.target + "\n"
                       : R"({"done":")" + verb + R"(","target":")" + event.target + "\"}");
}

}  // namespace vesper
