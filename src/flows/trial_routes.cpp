#include "flows/trial_routes.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/wall_time.hpp"
#include "flows/replies.hpp"
#include "flows/routes.hpp"
#include "flows/submission.hpp"

namespace vesper {
namespace {

constexpr std::string_view no_trial = "There is no such trial of yours.";

// The id in the path when the caller may touch that trial; others learn nothing about it.
std::optional<std::string> own_trial(const Exchange& exchange, std::string_view trial_id) {
  auto id = percent_decode(trial_id);
  if (!id || !exchange.caller->may_touch(*id)) return {};
  return id;
}

void refuse_foreign(Reply& reply) {
  refuse(reply, 403, IssueCode::forbidden, "This token is not for this trial.");
}

std::expected<Precondition, Refusal> precondition_of(const RequestHead& head) {
  const Header* none_match = head.find("if-none-match");
  const Header* match = head.find("if-match");
  if (none_match != nullptr && match == nullptr && none_match->value == "*")
    return Precondition{true, {}};
  if (match != nullptr && none_match == nullptr) return Precondition{false, match->value};
  return refused(428, IssueCode::required,
                 "State what you expect: If-None-Match: * for a new trial, If-Match with the ETag "
                 "for a change.");
}

}  // namespace

asio::awaitable<void> TrialRoutes::read(Exchange& exchange, std::string_view trial_id) {
  Reply& reply = exchange.reply;
  const auto id = own_trial(exchange, trial_id);
  if (!id) co_return refuse_foreign(reply);
  if (const auto revision = query_parameter(exchange.head.query, "revision"))
    co_return co_await read_revision(exchange, *id, *revision);
  const auto snapshot = catalog_.snapshot();
  const Trial* trial = snapshot->find(*id);
  if (trial == nullptr) co_return refuse(reply, 404, IssueCode::not_found, no_trial);
  reply.add_header("ETag", trial->etag);
  if (const Header* known = exchange.head.find("if-none-match");
      known != nullptr && lists_etag(known->value, trial->etag, TagMatch::weak)) {
    reply.status = 304;
    co_return;
  }
  reply.status = 200;
  reply.content_type = json_type;
  reply.body = trial->document;
}

asio::awaitable<void> TrialRoutes::read_revision(Exchange& exchange, const std::string& trial_id,
                                                 std::string_view revision) {
  const auto rows = co_await keeper_.history(trial_id, {exchange.deadline, &exchange.departure});
  if (!rows) co_return refuse_for_store(exchange.reply, rows.error(), random_);
  for (const auto& row : *rows) {
    if (fmt::format("{}", row.revision) != revision) continue;
    exchange.reply.status = 200;
    exchange.reply.content_type = json_type;
    exchange.reply.body = row.document;
    co_return;
  }
  refuse(exchange.reply, 404, IssueCode::not_found, "This trial has no such revision.");
}

asio::awaitable<void> TrialRoutes::history(Exchange& exchange, std::string_view trial_id) {
  Reply& reply = exchange.reply;
  const auto id = own_trial(exchange, trial_id);
  if (!id) co_return refuse_foreign(reply);
  const auto rows = co_await keeper_.history(*id, {exchange.deadline, &exchange.departure});
  if (!rows) co_return refuse_for_store(reply, rows.error(), random_);
  if (rows->empty()) co_return refuse(reply, 404, IssueCode::not_found, no_trial);
  reply.status = 200;
  reply.content_type = json_type;
  reply.body = R"({"revisions":[)";
  for (const auto& row : *rows) {
    if (&row != &rows->front()) reply.body += ',';
    fmt::format_to(std::back_inserter(reply.body),
                   R"({{"revision":{},"publishedAt":"{}","publishedBy":")", row.revision,
                   to_string(row.published_at));
    append_json_escaped(reply.body, row.published_by);
    reply.body += R"(","reason":")";
    append_json_escaped(reply.body, row.reason);
    reply.body += "\"}";
  }
  reply.body += "]}";
}

asio::awaitable<void> TrialRoutes::publish(Exchange& exchange, std::string_view trial_id) {
  Reply& reply = exchange.reply;
  const auto id = own_trial(exchange, trial_id);
  if (!id) co_return refuse_foreign(reply);
  const auto media = media_type_of(exchange.head);
  if (!media || *media != MediaType::json)
    co_return refuse(reply, 415, IssueCode::not_supported,
                     "A trial document is application/json in UTF-8.");
  const auto precondition = precondition_of(exchange.head);
  if (!precondition)
    co_return refuse(reply, precondition.error().status, precondition.error().issues);
  const Header* reason = exchange.head.find("vesper-reason");
  auto published = co_await keeper_.publish(
      {*id, exchange.body, reason != nullptr ? reason->value : std::string_view{}, *precondition,
       exchange.caller.get(), exchange.deadline});
  if (!published) {
    refuse(reply, published.error().status, published.error().issues);
    if (published.error().status >= 503) reply.add_header("Retry-After", "2");
    co_return;
  }
  reply.status = published->created ? 201 : 200;
  reply.content_type = json_type;
  reply.add_header("ETag", published->trial->etag);
  reply.add_header("Location", fmt::format("/trials/{}", trial_id));
  reply.body = fmt::format(R"({{"id":"{}","revision":{}}})", published->trial->id,
                           published->trial->revision);
}

}  // namespace vesper
