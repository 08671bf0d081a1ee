#include "flows/read_diary.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "flows/replies.hpp"
#include "flows/routes.hpp"
#include "stages/access/policy.hpp"
#include "stages/journal/receipt.hpp"

namespace vesper {
namespace {

std::string_view name_of(DeliveryState state) {
  switch (state) {
    case DeliveryState::owed:
      return "owed";
    case DeliveryState::leased:
      return "leased";
    case DeliveryState::delivered:
      return "delivered";
    case DeliveryState::parked:
      return "parked";
    case DeliveryState::held:
      return "held";
  }
  std::unreachable();
}

}  // namespace

asio::awaitable<std::expected<std::vector<StoredDiary>, StoreFault>> DiaryReader::find(
    Exchange& exchange, Uuid submission_id) {
  const Caller& caller = *exchange.caller;
  const auto subject = query_parameter(exchange.head.query, "subject");
  const auto named_trial = query_parameter(exchange.head.query, "trial");
  const bool own_only = !caller.scopes.has(Scope::site) && !caller.scopes.has(Scope::service);
  const Patience patience{exchange.deadline, &exchange.departure};
  const Waiting waiting{exchange.task, "journal.find", exchange.started, exchange.deadline.at};
  std::vector<StoredDiary> found;
  for (const auto& trial : caller.trials) {
    if (named_trial && trial != *named_trial) continue;
    if (own_only || subject) {
      auto diary = co_await journal_.find(trial, PatientText{own_only ? caller.subject : *subject},
                                          submission_id, patience);
      if (diary)
        found.push_back(std::move(*diary));
      else if (diary.error() != StoreFault::not_found)
        co_return std::unexpected{diary.error()};
    } else {
      auto diaries = co_await journal_.find_in_trial(trial, submission_id, patience);
      if (!diaries) co_return std::unexpected{diaries.error()};
      for (auto& diary : *diaries) found.push_back(std::move(diary));
    }
  }
  std::erase_if(found, [&](const StoredDiary& diary) {
    return access::decide(access::Action::read_diary, caller,
                          {diary.trial_id, PatientText{diary.subject_id}, diary.site}) !=
           access::Decision::allowed;
  });
  co_return found;
}

asio::awaitable<void> DiaryReader::run(Exchange& exchange, std::string_view submission_id) {
  constexpr std::string_view nothing = "There is no such diary of yours.";
  const auto text = percent_decode(submission_id);
  const auto id = text ? parse_uuid(*text) : std::nullopt;
  if (!id) co_return refuse(exchange.reply, 404, IssueCode::not_found, nothing);
  auto found = co_await find(exchange, *id);
  if (!found) co_return refuse_for_store(exchange.reply, found.error(), random_);
  if (found->empty()) co_return refuse(exchange.reply, 404, IssueCode::not_found, nothing);
  if (found->size() > 1)
    co_return refuse(exchange.reply, 400, IssueCode::value,
                     "Several diaries have this id: name one with ?subject=, or its ?trial=");
  write(exchange.reply, found->front());
}

void DiaryReader::write(Reply& reply, const StoredDiary& diary) {
  reply.status = 200;
  reply.content_type = json_type;
  reply.body = R"({"receipt":)";
  write_receipt(reply.body, diary.facts);
  reply.body += R"(,"bundle":)";
  std::string bundle;
  if (diary.facts.disposition != Disposition::held && bundles_.derive(diary, bundle))
    reply.body += bundle;
  else
    reply.body += "null";
  reply.body += R"(,"delivery":[)";
  for (const auto& delivery : diary.delivery) {
    if (&delivery != &diary.delivery.front()) reply.body += ',';
    reply.body += R"({"destination":")";
    append_json_escaped(reply.body, delivery.destination);
    fmt::format_to(std::back_inserter(reply.body), R"(","state":"{}","attempts":{}}})",
                   name_of(delivery.state), delivery.attempts);
  }
  reply.body += "]}";
}

}  // namespace vesper
