#include "flows/limits/fair_use.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <cmath>

namespace vesper {
namespace {

using admission::DegradationLevel;

constexpr Duration wait_aimed_at = 80ms, capacity_half_life = 1s;

asio::awaitable<void> write_down(JournalStore& journal, AuditEvent event) {
  (void)co_await journal.record(event);  // a journal in trouble is often the very reason
}

}  // namespace

FairUse::FairUse(const Parts& parts)
    : parts_(parts),
      limits_(parts.limits),
      allowances_(parts.seed),
      addresses_(parts.seed),
      degradation_(parts.degradation),
      breaker_(parts.journal_breaker) {}

admission::Party FairUse::party_of(const Caller& caller) {
  SipHash hash{parts_.seed};
  for (const std::string& trial : caller.trials) hash.add(trial);
  return shares_.party_of(hash.finish());
}

void FairUse::note_crowded(Duration waited) {
  crowded_.fetch_add(1, std::memory_order_relaxed);
  std::int64_t least = least_crowded_wait_ns_.load(std::memory_order_relaxed);
  while (waited.count() < least && !least_crowded_wait_ns_.compare_exchange_weak(
                                       least, waited.count(), std::memory_order_relaxed)) {
  }
}

bool FairUse::below_ceiling(std::size_t route_class, double per_second, Instant now) {
  if (per_second <= 0) return true;
  const auto rule = admission::BucketRule::of(
      per_second, static_cast<std::uint64_t>(std::max(1.0, std::ceil(per_second))));
  auto& bucket = ceilings_[route_class];
  const std::uint64_t present = admission::ticks_of(now);
  std::uint64_t used = bucket.load(std::memory_order_relaxed);
  for (;;) {
    const auto next = admission::take_one(used, present, rule);
    if (!next) return false;
    if (bucket.compare_exchange_weak(used, *next, std::memory_order_relaxed)) return true;
  }
}

// While the door refuses, what it admits is what there is; before it ever did, what the slots say.
void FairUse::measure_shares(Instant now) {
  const double seconds = std::chrono::duration<double>(now - ticked_).count();
  const auto admitted = admitted_.exchange(0, std::memory_order_relaxed);
  const bool crowded = crowded_.load(std::memory_order_relaxed) > 0;
  if (crowded && seconds > 0) {
    const double kept =
        std::exp2(-seconds / std::chrono::duration<double>(capacity_half_life).count());
    const double rate = static_cast<double>(admitted) / seconds;
    capacity_ = capacity_ == 0 ? rate : capacity_ * kept + rate * (1 - kept);
  }
  shares_.tick(capacity_ > 0 ? capacity_ : parts_.slots.capacity(), now);
}

void FairUse::watch_journal(Instant now) {
  const bool was = breaker_.open();
  const bool open = breaker_.observe(parts_.journal.load().group_age, now);
  stalled_.store(open, std::memory_order_relaxed);
  parts_.telemetry.set(Gauge::journal_breaker_open, open ? 1 : 0);
  if (open != was)
    parts_.log.write(LogLevel::warn, open ? "journal.stalled" : "journal.back",
                     open ? "diaries are refused at once: a commit does not return"
                          : "diaries are taken again: commits return");
}

void FairUse::degrade(Instant now) {
  const auto crowded = crowded_.exchange(0, std::memory_order_relaxed);
  const Duration least{least_crowded_wait_ns_.exchange(INT64_MAX, std::memory_order_relaxed)};
  const auto over_aim = [](Duration wait) {
    return std::chrono::duration<double>(wait) / std::chrono::duration<double>(wait_aimed_at);
  };
  pressure_ = over_aim(parts_.journal.load().wait);
  if (crowded > 0) pressure_ = std::max({pressure_, 1.0, over_aim(least)});
  degradation_.allow_automatic(limits_.current().degrade_automatically);
  if (degradation_.observe(pressure_, now))
    level_changed("server", fmt::format("pressure {:.2f}", pressure_));
}

void FairUse::level_changed(std::string by, std::string reason) {
  const DegradationLevel level = degradation_.level();
  level_.store(level, std::memory_order_relaxed);
  since_ = parts_.clock.wall();
  reason_ = std::move(reason);
  parts_.telemetry.set(Gauge::degradation_level, static_cast<std::int64_t>(level));
  parts_.log.write(LogLevel::warn, "degradation", "another level is in force",
                   {{"vesper.level", name_of(level)}, {"event.reason", std::string_view{reason_}}});
  if (by == "server")
    parts_.scope.spawn(parts_.executor, "audit", for_ever,
                       write_down(parts_.journal, {"degradation", std::move(by),
                                                   std::string{name_of(level)}, reason_, since_}));
}

void FairUse::tick(Instant now) {
  measure_shares(now);
  watch_journal(now);
  degrade(now);
  const std::uint64_t forgotten = allowances_.evictions() + addresses_.evictions();
  if (forgotten != forgotten_)
    parts_.telemetry.count(Counter::names_forgotten,
                           forgotten - std::exchange(forgotten_, forgotten));
  ticked_ = now;
}

asio::awaitable<void> FairUse::run(TaskRecord* task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const Instant now = parts_.clock.now();
    tick(now);
    if (task != nullptr) task->mark("clock.sleep", now);
    if (!co_await parts_.clock.sleep_until(now + tick_every)) co_return;
  }
}

asio::awaitable<std::expected<void, std::string>> FairUse::choose(
    std::optional<DegradationLevel> level, std::string by, std::string reason) {
  const std::string target{level ? name_of(*level) : "automatic"};
  const auto done =
      co_await parts_.journal.record({"degradation", by, target, reason, parts_.clock.wall()});
  if (!done && done.error() != StoreFault::disk_reserve)
    co_return std::unexpected("the journal did not take the audit; try again");
  degradation_.set(level, parts_.clock.now());
  level_changed(std::move(by), std::move(reason));
  co_return std::expected<void, std::string>{};
}

}  // namespace vesper
