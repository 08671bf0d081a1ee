#include "flows/deliver/outbox_watch.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

namespace vesper {
namespace {

constexpr Duration look_every = 5s, tell_again = 1h;

}  // namespace

asio::awaitable<void> OutboxWatch::run(TaskRecord* task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    if (const auto rows = co_await delivery_.list()) look(*rows);
    const Instant next = clock_.now() + look_every;
    if (task != nullptr) task->mark("clock.sleep", clock_.now(), next);
    if (!co_await clock_.sleep_until(next)) co_return;
  }
}

void OutboxWatch::look(const std::vector<OutboxRow>& rows) {
  Sums sums;
  const WallTime now = clock_.wall();
  for (const OutboxRow& row : rows) {
    const OutboxCounts& counts = row.counts;
    sums.owed += counts.owed;
    sums.blocked += counts.blocked;
    sums.parked += counts.parked;
    sums.paused += counts.paused ? 1 : 0;
    sums.shut += row.status.breaker == relay::BreakerState::closed ? 0 : 1;
    if (!counts.configured) sums.unconfigured += counts.owed + counts.blocked + counts.parked;
    if (counts.oldest_owed)
      sums.oldest = std::max<Duration>(sums.oldest, now - *counts.oldest_owed);
    alarm(row);
  }
  show(sums);
}

void OutboxWatch::show(const Sums& sums) {
  const auto set = [&](Gauge gauge, std::uint64_t value) {
    telemetry_.set(gauge, static_cast<std::int64_t>(value));
  };
  set(Gauge::outbox_owed, sums.owed);
  set(Gauge::outbox_blocked, sums.blocked);
  set(Gauge::outbox_parked, sums.parked);
  set(Gauge::outbox_unconfigured, sums.unconfigured);
  set(Gauge::destinations_shut, sums.shut);
  set(Gauge::destinations_paused, sums.paused);
  telemetry_.set(Gauge::outbox_oldest_seconds,
                 std::chrono::duration_cast<std::chrono::seconds>(sums.oldest).count());
}

void OutboxWatch::alarm(const OutboxRow& row) {
  const OutboxCounts& counts = row.counts;
  const std::uint64_t stranded = counts.configured ? 0 : counts.owed + counts.blocked;
  if (counts.parked + stranded == 0) {
    told_.erase(counts.destination);
    return;
  }
  const Instant now = clock_.now();
  const auto [told, first] = told_.try_emplace(counts.destination, now);
  if (!first && now - told->second < tell_again) return;
  told->second = now;
  log_.write(LogLevel::error, "outbox.alarm",
             counts.configured
                 ? "diaries are parked: redrive or skip them with vesper outbox"
                 : "diaries are owed to a destination that is not configured: configure it again",
             {{"vesper.destination", std::string_view{counts.destination}},
              {"vesper.parked", static_cast<std::int64_t>(counts.parked)},
              {"vesper.blocked", static_cast<std::int64_t>(counts.blocked)},
              {"vesper.owed", static_cast<std::int64_t>(counts.owed)}});
}

}  // namespace vesper
