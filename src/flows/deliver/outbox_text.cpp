// The outbox for people and for programs.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/wall_time.hpp"
#include "flows/deliver/outbox_api.hpp"

namespace vesper {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  return out + '"';
}

std::string time_or_null(const std::optional<WallTime>& time) {
  return time ? quoted(to_string(*time)) : "null";
}

std::int64_t seconds(Duration d) {
  return std::chrono::duration_cast<std::chrono::seconds>(d).count();
}

std::optional<std::int64_t> oldest_age(const OutboxRow& row, WallTime now) {
  if (!row.counts.oldest_owed) return std::nullopt;
  return std::max<std::int64_t>(0, seconds(now - *row.counts.oldest_owed));
}

/// How long what can be delivered will take at the pace of the last half minute.
std::optional<std::int64_t> drain_seconds(const OutboxRow& row) {
  const auto& c = row.counts;
  const double left = static_cast<double>(c.owed - std::min(c.owed, c.blocked));
  if (left <= 0) return 0;
  if (row.status.paused || row.status.delivered_per_s < 0.001) return std::nullopt;
  return static_cast<std::int64_t>(left / row.status.delivered_per_s) + 1;
}

std::string number_or_null(const std::optional<std::int64_t>& number) {
  return number ? fmt::format("{}", *number) : "null";
}

std::string span_text(const std::optional<std::int64_t>& s) {
  if (!s) return "-";
  if (*s < 120) return fmt::format("{} s", *s);
  if (*s < 7200) return fmt::format("{} min", *s / 60);
  return *s < 172'800 ? fmt::format("{} h", *s / 3600) : fmt::format("{} d", *s / 86'400);
}

std::string state_text(const OutboxRow& row, WallTime now) {
  const auto& s = row.status;
  if (s.name.empty()) return "not configured";
  if (row.counts.paused || s.paused) return "paused";
  if (s.breaker == relay::BreakerState::closed) {
    return s.throttle > 0 ? "delivering, held back" : "delivering";
  }
  const Duration lasted = s.breaker_since ? now - *s.breaker_since : Duration::zero();
  return fmt::format("at fault for {} ({}), next try in {} s", span_text(seconds(lasted)),
                     name_of(s.breaker_cause), seconds(s.shut_for) + 1);
}

std::string digest_text(const Hash& hash) {
  if (hash == Hash{}) return "null";
  std::string hex = "sha256:";
  append_hex(hex, hash);
  return quoted(hex);
}

}  // namespace

std::string outbox_list_json(const std::vector<OutboxRow>& rows, WallTime now) {
  std::string out = "{\"destinations\":[";
  for (const auto& row : rows) {
    const auto& c = row.counts;
    const auto& s = row.status;
    if (out.back() == '}') out += ',';
    out += fmt::format(
        R"({{"destination":{},"configured":{},"paused":{},"owed":{},"blocked":{},"parked":{},)"
        R"("delivered":{},"oldestOwedAt":{},"oldestAgeSeconds":{},"inFlight":{},"concurrency":{},)"
        R"("waiting":{},"deliveredPerSecond":{:.3f},"drainSeconds":{},"breaker":{},)"
        R"("nextTryInSeconds":{},"lastError":{},"lastErrorStatus":{},"lastErrorAt":{},)"
        R"("suspectReplies":{},"breakerCause":{},"breakerSince":{},"throttleProbability":{:.3f},)"
        R"("concurrencyLimit":{},"retryBudgetLeft":{:.1f}}})",
        quoted(c.destination), !s.name.empty(), c.paused || s.paused, c.owed, c.blocked, c.parked,
        c.delivered, time_or_null(c.oldest_owed), number_or_null(oldest_age(row, now)), s.in_flight,
        s.concurrency, s.waiting, s.delivered_per_s, number_or_null(drain_seconds(row)),
        s.name.empty() ? "null" : quoted(name_of(s.breaker)), seconds(s.shut_for),
        s.last_error.empty() ? "null" : quoted(s.last_error),
        s.last_error_status == 0 ? "null" : fmt::format("{}", s.last_error_status),
        time_or_null(s.last_error_at), s.suspects,
        s.breaker_cause == relay::BreakerCause::none ? "null" : quoted(name_of(s.breaker_cause)),
        time_or_null(s.breaker_since), s.throttle, s.limit, s.retry_budget);
  }
  return out + "]}";
}

std::string outbox_list_text(const std::vector<OutboxRow>& rows, WallTime now) {
  if (rows.empty()) return "No destination is configured, and nothing is owed.\n";
  constexpr std::string_view form =
      "{:<16} {:>8} {:>8} {:>8} {:>10} {:>9} {:>7} {:>9} {:>8} {:>7} {:>9} {:>9}  {}\n";
  std::string out = fmt::format(fmt::runtime(form), "destination", "owed", "blocked", "parked",
                                "delivered", "in flight", "limit", "breaker", "throttle", "budget",
                                "oldest", "drain", "state");
  for (const auto& row : rows) {
    const auto& c = row.counts;
    const auto& s = row.status;
    std::string state = state_text(row, now);
    if (!s.last_error.empty()) state += ", last error " + s.last_error;
    if (s.last_error_status != 0) state += fmt::format(" ({})", s.last_error_status);
    if (s.suspects > 0) state += fmt::format(", {} settled by a web page", s.suspects);
    out += fmt::format(
        fmt::runtime(form), c.destination, c.owed, c.blocked, c.parked, c.delivered, s.in_flight,
        fmt::format("{}/{}", s.limit, s.concurrency), s.name.empty() ? "-" : name_of(s.breaker),
        fmt::format("{:.0f} %", 100 * s.throttle), fmt::format("{:.0f}", s.retry_budget),
        span_text(oldest_age(row, now)), span_text(drain_seconds(row)), state);
  }
  return out;
}

std::string outbox_show_json(std::string_view destination, const std::vector<Settlement>& parked,
                             std::size_t limit) {
  std::string out = fmt::format(R"({{"destination":{},"parked":[)", quoted(destination));
  for (const auto& entry : parked) {
    if (out.back() == '}') out += ',';
    out += fmt::format(
        R"({{"deliveryId":"{}","position":{},"attempts":{},"reason":{},"status":{},"at":"{}",)"
        R"("replyHeaders":{},"replyDigest":{}}})",
        to_string(entry.delivery_id), entry.position, entry.attempts, quoted(entry.reason),
        entry.http_status == 0 ? "null" : fmt::format("{}", entry.http_status), to_string(entry.at),
        quoted(entry.evidence_headers), digest_text(entry.body_digest));
  }
  const bool more = parked.size() >= limit;
  return out +
         fmt::format(R"(],"next":{}}})", more ? fmt::format("{}", parked.back().position) : "null");
}

std::string outbox_show_text(std::string_view destination, const std::vector<Settlement>& parked) {
  if (parked.empty()) return fmt::format("Nothing is parked at {}.\n", destination);
  std::string out = fmt::format("{:<36}  {:>8}  {:>6}  {:<20}  {}\n", "delivery id", "attempts",
                                "status", "reason", "parked at");
  for (const auto& entry : parked)
    out += fmt::format("{:<36}  {:>8}  {:>6}  {:<20}  {}\n", to_string(entry.delivery_id),
                       entry.attempts, entry.http_status, entry.reason, to_string(entry.at));
  return out;
}

}  // namespace vesper
