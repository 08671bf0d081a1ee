#include "flows/limits/limits_api.hpp"

#include <charconv>

#include "base/json.hpp"
#include "base/wall_time.hpp"
#include "flows/finish_by.hpp"
#include "flows/limits/limits_document.hpp"
#include "flows/replies.hpp"

namespace vesper {
namespace {

using admission::Degradation;
using admission::DegradationLevel;

constexpr int levels = 5;
constexpr std::string_view too_late =
    "the journal did not confirm in time: the change may still take effect";

std::string reason_of(const Exchange& exchange) {
  const Header* header = exchange.head.find("vesper-reason");
  return header == nullptr ? std::string{} : std::string{header->value};
}

void answer(Reply& reply, JsonText& json) {
  reply.status = 200;
  reply.content_type = json_type;
  reply.body = json.take() + "\n";
}

void refuse_change(Reply& reply, const LimitsKeeper::Refused& refused) {
  refuse(reply, refused.invalid ? 422 : 503,
         refused.invalid ? IssueCode::value : IssueCode::transient, refused.why);
  if (!refused.invalid) reply.add_header("Retry-After", "2");
}

std::string_view name_of(Degradation::Why why) {
  switch (why) {
    case Degradation::Why::calm:
      return "calm";
    case Degradation::Why::pressure:
      return "pressure";
    case Degradation::Why::operator_:
      return "operator";
  }
  std::unreachable();
}

/// What a body asks for: a level, or automatic; nothing when it is neither.
struct AskedLevel {
  std::optional<DegradationLevel> level;
};
std::optional<AskedLevel> asked_level(std::string_view body) {
  Arena arena;
  const auto document = parse_json(body, arena);
  if (!document || !(*document)->is(JsonKind::object)) return {};
  const JsonValue* value = (*document)->find("level");
  if (value == nullptr || (*document)->size != 1) return {};
  if (value->is(JsonKind::string) && value->text == "automatic") return AskedLevel{};
  for (int i = 0; i < levels; ++i) {
    const auto level = static_cast<DegradationLevel>(i);
    const bool by_name = value->is(JsonKind::string) && value->text == admission::name_of(level);
    const bool by_number = value->is(JsonKind::number) && value->text == std::to_string(i);
    if (by_name || by_number) return AskedLevel{level};
  }
  return {};
}

}  // namespace

void LimitsApi::answer_limits(Reply& reply) const {
  JsonText json;
  const auto& change = limits_.change();
  json.open('{').pair("source", change ? "operator" : "configuration");
  if (change) {
    json.pair("by", change->by).pair("reason", change->reason);
    json.pair("at", to_string(change->at));
  }
  json.key("limits");
  write_limits(json, *limits_.current());
  json.close('}');
  answer(reply, json);
}

void LimitsApi::answer_degradation(Reply& reply) const {
  const Degradation& degradation = fair_use_.degradation();
  JsonText json;
  json.open('{').key("level").number(static_cast<std::uint64_t>(degradation.level()));
  json.pair("name", admission::name_of(degradation.level()));
  json.pair("why", name_of(degradation.why())).pair("reason", fair_use_.level_reason());
  json.key("since");
  if (fair_use_.level_since() == WallTime{})
    json.null();
  else
    json.text(to_string(fair_use_.level_since()));
  json.key("automatic").flag(!degradation.chosen() && limits_.current()->degrade_automatically);
  json.key("pressure").number(fair_use_.pressure());
  json.key("journalStalled").flag(fair_use_.journal_stalled()).close('}');
  answer(reply, json);
}

asio::awaitable<void> LimitsApi::show_limits(Exchange& exchange) {
  answer_limits(exchange.reply);
  co_return;
}

template <class T>
asio::awaitable<std::optional<T>> LimitsApi::carry_out(const Exchange& exchange,
                                                       asio::awaitable<T> work) {
  const FairUse::Parts& parts = fair_use_.parts();
  return finish_by(parts.scope, parts.executor, parts.clock, "change", exchange.deadline,
                   std::move(work));
}

asio::awaitable<void> LimitsApi::set_limits(Exchange& exchange, std::string actor) {
  const auto set = co_await carry_out(
      exchange, limits_.set(std::string{exchange.body}, std::move(actor), reason_of(exchange)));
  if (!set) co_return refuse_change(exchange.reply, {false, std::string{too_late}});
  if (!*set) co_return refuse_change(exchange.reply, set->error());
  answer_limits(exchange.reply);
}

asio::awaitable<void> LimitsApi::reset_limits(Exchange& exchange, std::string actor) {
  const auto reset =
      co_await carry_out(exchange, limits_.reset(std::move(actor), reason_of(exchange)));
  if (!reset) co_return refuse_change(exchange.reply, {false, std::string{too_late}});
  if (!*reset) co_return refuse_change(exchange.reply, reset->error());
  answer_limits(exchange.reply);
}

asio::awaitable<void> LimitsApi::show_degradation(Exchange& exchange) {
  answer_degradation(exchange.reply);
  co_return;
}

asio::awaitable<void> LimitsApi::set_degradation(Exchange& exchange, std::string actor) {
  const auto asked = asked_level(exchange.body);
  if (!asked)
    co_return refuse(exchange.reply, 422, IssueCode::value,
                     R"(The body is {"level": L}: 0 to 4, normal, exports-off, reads-off, )"
                     R"(derivation-deferred, refuse or automatic.)");
  const auto done = co_await carry_out(
      exchange, fair_use_.choose(asked->level, std::move(actor), reason_of(exchange)));
  if (!done) co_return refuse_change(exchange.reply, {false, std::string{too_late}});
  if (!*done) co_return refuse_change(exchange.reply, {false, done->error()});
  answer_degradation(exchange.reply);
}

}  // namespace vesper
