#include "flows/deliver/attempt.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "stages/outbox/entry.hpp"

namespace vesper {
namespace {

class Traceparent {
 public:
  Traceparent(const Uuid& id, Random& random) {
    put("00-");
    for (const std::uint8_t byte : id.bytes) put_hex(byte);
    put("-");
    std::uint64_t number = random.next() | 1;  // all zero is not a span
    for (int i = 0; i < 8; ++i, number >>= 8) put_hex(static_cast<std::uint8_t>(number));
    put("-01");
  }
  operator std::string_view() const { return {text_.data(), text_.size()}; }

 private:
  void put(std::string_view piece) { at_ = std::ranges::copy(piece, at_).out; }
  void put_hex(std::uint8_t byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    *at_++ = digits[byte >> 4];
    *at_++ = digits[byte & 15];
  }
  std::array<char, 55> text_;
  char* at_ = text_.data();
};

outbox::Event event_of(upstream::Verdict verdict) {
  switch (verdict) {
    case upstream::Verdict::settled:
      return outbox::Event::settle;
    case upstream::Verdict::parked:
      return outbox::Event::park;
    case upstream::Verdict::retry:
      return outbox::Event::no_answer;
  }
  std::unreachable();
}

}  // namespace

asio::awaitable<AttemptResult> attempt(const DeliveryPorts& ports, const UpstreamSettings& settings,
                                       const DeliveryJob& job, Random& random, std::string& bundle,
                                       TaskRecord* task) {
  using upstream::Blame, upstream::Reason, upstream::Verdict;
  using Trouble = UpstreamReply::Trouble;
  AttemptResult result;
  const Traceparent trace{job.entry.delivery_id, random};
  const Instant started = ports.clock.now();
  const Deadline deadline{started + settings.deadline};
  const Waiting waiting{task, "upstream.reply", started, deadline.at};
  UpstreamReply reply;
  for (bool fresh = false;; fresh = true) {
    if (const auto made = ports.bundles.derive(*job.diary, bundle); !made) {
      result.derived = false;
      const bool never = made.error() == BundleFault::not_derivable;
      ports.telemetry.count(never ? Counter::bundles_failed : Counter::bundles_deferred);
      result.outcome = {never ? Verdict::parked : Verdict::retry, Reason::not_derivable,
                        Blame::lane, false, std::nullopt};
      co_return result;
    }
    reply = co_await ports.upstream.post({.destination = settings.name,
                                          .delivery_id = job.entry.delivery_id,
                                          .content_hash = job.diary->facts.content_hash,
                                          .bundle = bundle,
                                          .traceparent = trace,
                                          .fresh = fresh},
                                         deadline);
    // Others have written their bundles into the same place since.
    if (reply.trouble != Trouble::stale || fresh) break;
  }
  ports.telemetry.observe(Histogram::delivery_seconds, ports.clock.now() - started);
  result.outcome = upstream::judge(reply, {.settle = settings.settle,
                                           .delivery_id = job.entry.delivery_id,
                                           .content_hash = job.diary->facts.content_hash,
                                           .retry_after_max = settings.retry_after_max,
                                           .now = ports.clock.wall()});
  result.http_status = reply.status;
  result.evidence_headers = std::move(reply.evidence_headers);
  result.body_digest = reply.body_digest;
  co_return result;
}

Settlement settlement_of(const DeliveryJob& job, AttemptResult&& result, WallTime at) {
  const auto entry =
      outbox::after({DeliveryState::leased, job.entry.attempts}, event_of(result.outcome.verdict));
  Settlement settlement;
  settlement.position = job.entry.position;
  settlement.lane = job.entry.lane;
  settlement.delivery_id = job.entry.delivery_id;
  settlement.state = entry.state;
  settlement.attempts = entry.attempts;
  settlement.http_status = result.http_status;
  settlement.evidence_headers = std::move(result.evidence_headers);
  settlement.body_digest = result.body_digest;
  if (result.outcome.reason != upstream::Reason::none)
    settlement.reason = upstream::name_of(result.outcome.reason);
  settlement.at = at;
  return settlement;
}

}  // namespace vesper
