// What the end of a try means for the lane, the destination and the people who watch.
#include <algorithm>
#include <utility>

#include "flows/deliver/destination.hpp"
#include "flows/deliver/protection.hpp"

namespace vesper {

using upstream::Blame, upstream::Verdict;

void Destination::conclude(const DeliveryJob& job, AttemptResult&& result) {
  const Instant now = ports_.clock.now();
  if (result.outcome.reason != upstream::Reason::none) record_error(result);
  if (result.outcome.verdict == Verdict::retry) return retry(job, std::move(result), now);
  // A diary without a bundle was not sent: the destination has said nothing.
  if (job.tried.began != Instant{})
    gate_.end(job.tried, now, result.derived ? try_end_of(result.outcome) : relay::TryEnd::nothing);
  if (result.outcome.suspect && suspects_++ % 1024 == 0)
    ports_.log.write(LogLevel::warn, "delivery.suspect",
                     "a delivery was settled by a web page: is a proxy in between? "
                     "settle = \"receipt\" refuses such replies",
                     {{"vesper.destination", std::string_view{settings_.name}},
                      {"vesper.delivery_id", job.entry.delivery_id}});
  const Verdict verdict = result.outcome.verdict;
  auto settlement = settlement_of(job, std::move(result), ports_.clock.wall());
  // An earlier try of this diary may still wait to be stored: only the last word counts.
  if (job.entry.attempts > 0)
    std::erase_if(outcomes_,
                  [&](const Settlement& s) { return s.position == settlement.position; });
  if (verdict == Verdict::settled)
    count_delivered(job.entry, now);
  else
    alert_parked(settlement);
  outcomes_.push_back(std::move(settlement));
}

void Destination::record_error(const AttemptResult& result) {
  if (result.outcome.verdict == Verdict::settled) return;
  last_error_ = upstream::name_of(result.outcome.reason);
  last_error_status_ = result.http_status;
  last_error_at_ = ports_.clock.wall();
}

void Destination::alert_parked(const Settlement& settlement) {
  ports_.telemetry.count(Counter::deliveries_parked);
  ports_.log.write(LogLevel::error, "delivery.parked",
                   "a diary waits for a person: redrive or skip it; later diaries of the patient "
                   "to this destination wait behind it",
                   {{"vesper.destination", std::string_view{settings_.name}},
                    {"vesper.delivery_id", settlement.delivery_id},
                    {"vesper.reason", std::string_view{settlement.reason}},
                    {"http.response.status_code", std::int64_t{settlement.http_status}}});
}

void Destination::retry(const DeliveryJob& job, AttemptResult&& result, Instant now) {
  ports_.telemetry.count(Counter::deliveries_retried);
  const auto asked = result.outcome.retry_after;
  const bool ours = gate_.was_cut(job.tried);
  const bool destinations = result.outcome.blame == Blame::destination;
  const bool for_all = destinations && result.outcome.reason == upstream::Reason::overloaded;
  if (asked && for_all && !ours)
    gate_.told(now, now + *asked + relay::Backoff{1s, 1s}.delay(1, random_.unit()));
  gate_.end(job.tried, now,
            ours || !result.derived ? relay::TryEnd::nothing : try_end_of(result.outcome));
  auto settlement = settlement_of(job, std::move(result), ports_.clock.wall());
  Duration delay = backoff_.delay(settlement.attempts, random_.unit());
  queue::Later why = destinations ? queue::Later::outage : queue::Later::own;
  if (ours) {
    delay = 0ns;
    why = queue::Later::outage;
  } else if (asked && !for_all) {
    delay = std::max(delay, relay::spread_retry_after(*asked, random_.unit()));
    why = queue::Later::own;
  } else if (destinations && gate_.at_work(job.tried)) {
    why = queue::Later::budget;
  }
  lanes_.retry(job.entry.lane, now + delay, settlement.attempts, why);
  std::erase_if(outcomes_, [&](const Settlement& s) { return s.position == settlement.position; });
  outcomes_.push_back(std::move(settlement));
}

void Destination::tell_change(const relay::Gate::Change& change) {
  const bool closed = change.state == relay::BreakerState::closed;
  ports_.log.write(
      closed ? LogLevel::info : LogLevel::warn,
      closed ? "destination.recovered" : "destination.at_fault",
      closed ? "deliveries go on"
             : "the destination does not take deliveries; they stay owed and are tried again",
      {{"vesper.destination", std::string_view{settings_.name}},
       {"vesper.breaker", relay::name_of(change.state)},
       {"vesper.cause", relay::name_of(change.cause)},
       {"vesper.lasted_ms",
        std::chrono::duration_cast<std::chrono::milliseconds>(change.lasted).count()},
       {"vesper.reason", std::string_view{last_error_}},
       {"http.response.status_code", std::int64_t{last_error_status_}}});
}

}  // namespace vesper
