#include "flows/deliver/destination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <utility>

#include "base/ensure.hpp"

namespace vesper {
namespace {

constexpr std::size_t settle_batch_max = 512, read_ahead_bytes = 4 * 1024 * 1024;
constexpr std::size_t kept_bundle_bytes = 64 * 1024;
constexpr Duration store_wait = 200ms, rescan_every = 60s;

}  // namespace

Destination::Destination(asio::any_io_executor executor, const UpstreamSettings& settings,
                         const DeliveryPorts& ports, std::uint64_t seed,
                         const relay::Gate::Rule& rule)
    : executor_(std::move(executor)),
      settings_(settings),
      ports_(ports),
      random_(seed),
      lanes_({.window_max = settings.window, .lane_max = 64, .blocked_max = 65'536}),
      gate_(rule),
      pacer_(settings.rate_max_per_s,
             settings.rate_burst > 0 ? settings.rate_burst : settings.rate_max_per_s),
      backoff_{.base = settings.retry_base, .cap = settings.retry_cap},
      tasks_(ports_.scope.part(settings_.name)),
      ticking_(tasks_.part("ticking")),
      workers_(tasks_.part("workers")),
      by_slot_(settings.concurrency) {}

asio::awaitable<std::expected<void, StoreFault>> Destination::open(bool paused) {
  ensure(stage_ == Stage::closed);
  constexpr std::size_t page = 512;
  for (Position after = 0;;) {
    const auto parked = co_await ports_.outbox.parked(settings_.name, after, page);
    if (!parked) co_return std::unexpected(parked.error());
    for (const auto& entry : *parked) lanes_.block(entry.lane, entry.position);
    if (parked->size() < page) break;
    after = parked->back().position;
  }
  paused_ = paused;
  stage_ = Stage::running;
  rescan_at_ = ports_.clock.now() + rescan_every;
  gate_.begin(ports_.clock.now());
  ++active_;
  ticking_.spawn_then(
      executor_, "tick", for_ever, [this](TaskRecord* task) { return tick(task); },
      [this] { ended(); });
  pump();
  co_return std::expected<void, StoreFault>{};
}

// Not cancelled when tries are cut: what they came to is still stored.
void Destination::spawn(StaticText name, asio::awaitable<void> work, std::source_location created) {
  ++active_;
  tasks_.spawn_then(executor_, name, for_ever, std::move(work), [this] { ended(); }, created);
}

void Destination::ended() {
  if (--active_ == 0 && on_idle_) on_idle_();
}

void Destination::notify() {
  lanes_.more();
  pump();
}

void Destination::rescan() {
  lanes_.scan_from(0);
  pump();
}

void Destination::set_paused(bool paused) {
  paused_ = paused;
  // Who resumes knows that the destination is well, whatever it has named.
  if (!paused) gate_.hasten(ports_.clock.now());
  pump();
}

void Destination::released(const OwedEntry& entry) {
  lanes_.release(entry.lane, entry.position);
  pump();
}

void Destination::stop() {
  if (stage_ != Stage::running) return;
  stage_ = Stage::stopping;
  if (sleeping_) ticking_.cancel();
  send_home();
  pump();
}

void Destination::cut() {
  stop();
  cutting_ = true;
  workers_.cancel();
}

void Destination::pump() {
  pump_again_ = true;
  if (pumping_) return;
  pumping_ = true;
  Instant now{};
  while (std::exchange(pump_again_, false)) pump_once(now = ports_.clock.now());
  pumping_ = false;
  note_window(now);
}

void Destination::note_window(Instant now) {
  const std::size_t held = lanes_.held();
  held_.store(held, std::memory_order_relaxed);
  held_most_.raise(held);
  if (full_since_)
    full_ns_.fetch_add(Duration{now - *full_since_}.count(), std::memory_order_relaxed);
  full_since_.reset();
  if (held >= settings_.window) full_since_ = now;
}

QueueFigures Destination::window() const {
  return {held_.load(std::memory_order_relaxed), settings_.window, held_most_.value(),
          Duration{full_ns_.load(std::memory_order_relaxed)}};
}

void Destination::pump_once(Instant now) {
  if (!settling_ && !outcomes_.empty() && now >= store_again_) {
    settling_ = true;
    spawn("settle", settle());
  }
  if (stage_ != Stage::running) return;
  if (now >= rescan_at_) {
    // A net under the cursor: what became owed behind it without a word is found here.
    rescan_at_ = now + rescan_every;
    if (lanes_.caught_up()) lanes_.scan_from(0);
  }
  if (!refilling_ && now >= store_again_) {
    if (const auto ask = lanes_.ask()) {
      refilling_ = true;
      spawn("refill", refill(*ask));
    }
  }
  watch_gate(now);
  start_load(now);
  do
    while (can_start(now)) start_worker(now);
  while (cut_one(now));
  figures_.set(gate_);
  if (sleeping_ && next_wake(now) < wake_at_) ticking_.cancel();
}

asio::awaitable<void> Destination::tick(TaskRecord* task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (stage_ == Stage::running) {
    wake_at_ = next_wake(ports_.clock.now());
    sleeping_ = true;
    if (task != nullptr) task->mark("clock.sleep", ports_.clock.now(), wake_at_);
    (void)co_await ports_.clock.sleep_until(wake_at_);
    sleeping_ = false;
    co_await asio::this_coro::reset_cancellation_state();
    pump();
  }
}

void Destination::store_failed(StoreFault fault) {
  store_again_ = ports_.clock.now() + store_wait;
  if (fault != StoreFault::broken && fault != StoreFault::stopping) return;
  // The process is about to end; whatever is owed stays owed.
  outcomes_.clear();
  stop();
}

asio::awaitable<void> Destination::refill(queue::Lanes::Ask ask) {
  const auto page = co_await ports_.outbox.lease(settings_.name, ask.after, ask.limit);
  refilling_ = false;
  if (page)
    lanes_.fill(*page, ask);
  else
    store_failed(page.error());
  pump();
}

void Destination::start_load(Instant now) {
  std::vector<OwedEntry> entries;
  for (const std::size_t room = load_room(now); entries.size() < room;) {
    auto entry = next_entry(now);
    if (!entry) break;
    entries.push_back(*entry);
  }
  if (entries.empty()) return;
  loading_ = true;
  spawn("load", load(std::move(entries)));
}

asio::awaitable<void> Destination::load(std::vector<OwedEntry> entries) {
  std::vector<Position> positions;
  positions.reserve(entries.size());
  for (const auto& entry : entries) positions.push_back(entry.position);
  auto diaries = co_await ports_.journal.at_all(positions);
  if (diaries && diaries->size() == entries.size()) {
    std::size_t bytes = 1;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      bytes += (*diaries)[i]->source.size();
      loaded_.push_back({entries[i], std::move((*diaries)[i]), {}});
    }
    load_max_ = std::clamp<std::size_t>(read_ahead_bytes / (bytes / entries.size() + 1), 2, 64);
  } else if (!diaries && diaries.error() == StoreFault::not_found) {
    co_await load_singly(std::move(entries));
  } else {
    const Instant again = ports_.clock.now() + store_wait;
    for (const auto& entry : entries) lanes_.retry(entry.lane, again, entry.attempts);
    store_failed(diaries ? StoreFault::timed_out : diaries.error());
  }
  loading_ = false;
  pump();
}

asio::awaitable<void> Destination::load_singly(std::vector<OwedEntry> entries) {
  for (const auto& entry : entries) {
    auto diary = co_await ports_.journal.at(entry.position);
    if (diary) {
      loaded_.push_back({entry, std::make_shared<const StoredDiary>(std::move(*diary)), {}});
    } else if (diary.error() == StoreFault::not_found) {
      AttemptResult missing;
      missing.derived = false;
      missing.outcome.verdict = upstream::Verdict::parked;
      missing.outcome.reason = upstream::Reason::not_derivable;
      conclude({entry, {}, {}}, std::move(missing));
    } else {
      lanes_.retry(entry.lane, ports_.clock.now() + store_wait, entry.attempts);
    }
  }
}

DeliveryJob Destination::take_job(Instant now, std::uint32_t worker) {
  pacer_.start(now);
  ports_.telemetry.add(Gauge::deliveries_in_flight, 1);
  DeliveryJob job = std::move(loaded_.front());
  loaded_.pop_front();
  job.tried = gate_.start(now, random_.unit());
  by_slot_[job.tried.slot] = worker;
  return job;
}

void Destination::start_worker(Instant now) {
  if (!resting_.empty()) {
    Resting resting = std::move(resting_.back());
    resting_.pop_back();
    resting.worker->job = take_job(now, resting.worker->number);
    return std::move(resting.wake)();
  }
  ++active_;
  const auto number = static_cast<std::uint32_t>(worker_scopes_.size());
  worker_scopes_.push_back(workers_.part(fmt::format("{}", number)));
  auto begin = [this, job = take_job(now, number), number](TaskRecord* task) mutable {
    return work(std::move(job), number, task);
  };
  worker_scopes_.back().spawn_then(executor_, "worker", for_ever, std::move(begin),
                                   [this] { ended(); });
}

asio::awaitable<void> Destination::work(DeliveryJob first, std::uint32_t number, TaskRecord* task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  Worker self{std::move(first), number};
  while (self.job.diary != nullptr) {
    auto result = co_await attempt(ports_, settings_, self.job, random_, bundle_, task);
    if (bundle_.capacity() > kept_bundle_bytes) std::string().swap(bundle_);
    ports_.telemetry.add(Gauge::deliveries_in_flight, -1);
    const bool cut = gate_.was_cut(self.job.tried);
    // A try that we cut ourselves says nothing about anybody.
    if (!cutting_ || result.outcome.verdict != upstream::Verdict::retry)
      conclude(self.job, std::move(result));
    else
      gate_.end(self.job.tried, ports_.clock.now(), relay::TryEnd::nothing);
    if (cut) co_await asio::this_coro::reset_cancellation_state();
    self.job.diary.reset();
    const Instant now = ports_.clock.now();
    watch_gate(now);
    if (can_start(now)) self.job = take_job(now, number);
    pump();
    if (self.job.diary != nullptr || stage_ != Stage::running) continue;
    if (task != nullptr) task->mark("next.diary", now);
    co_await rest(self);
  }
}

// Until start_worker() has a diary for it, or send_home() has none.
asio::awaitable<void> Destination::rest(Worker& worker) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [this, &worker](auto wake) { resting_.push_back({&worker, std::move(wake)}); },
      asio::use_awaitable);
}

void Destination::send_home() {
  while (!resting_.empty()) {
    auto wake = std::move(resting_.back().wake);
    resting_.pop_back();
    std::move(wake)();
  }
}

asio::awaitable<void> Destination::settle() {
  std::vector<Settlement> batch = std::move(settled_);
  batch.clear();
  if (outcomes_.size() <= settle_batch_max) {
    batch.swap(outcomes_);
  } else {
    const auto end = outcomes_.begin() + settle_batch_max;
    batch.assign(std::make_move_iterator(outcomes_.begin()), std::make_move_iterator(end));
    outcomes_.erase(outcomes_.begin(), end);
  }
  const auto stored = co_await ports_.outbox.settle(settings_.name, batch);
  settling_ = false;
  if (!stored) {
    outcomes_.insert(outcomes_.begin(), std::make_move_iterator(batch.begin()),
                     std::make_move_iterator(batch.end()));
    store_failed(stored.error());
  } else {
    for (const auto& settlement : batch) {
      if (settlement.state == DeliveryState::delivered) lanes_.done(settlement.lane);
      if (settlement.state == DeliveryState::parked) lanes_.park(settlement.lane);
    }
  }
  settled_ = std::move(batch);
  if (stage_ == Stage::stopping && !outcomes_.empty() && store_again_ > ports_.clock.now())
    co_await ports_.clock.sleep_until(store_again_);
  pump();
}

void Destination::count_delivered(const OwedEntry& entry, Instant now) {
  constexpr double memory_s = 30;
  const double passed = std::chrono::duration<double>(now - rate_at_).count();
  rate_ = rate_ * std::exp(-passed / memory_s) + 1 / memory_s;
  rate_at_ = now;
  ports_.telemetry.count(Counter::deliveries_settled);
  const auto age = ports_.clock.wall() - entry.committed_at;
  ports_.telemetry.observe(Histogram::delivery_age_seconds, std::max<Duration>(age, 0ns));
}

DestinationStatus Destination::status() const {
  const Instant now = ports_.clock.now();
  DestinationStatus status;
  status.name = settings_.name;
  status.in_flight = gate_.in_flight();
  status.concurrency = settings_.concurrency;
  status.held = lanes_.held();
  status.waiting = lanes_.waiting();
  status.blocked_lanes = lanes_.blocked();
  status.paused = paused_;
  const relay::Breaker& breaker = gate_.breaker();
  status.breaker = breaker.state();
  status.breaker_cause = breaker.cause();
  if (breaker.cause() != relay::BreakerCause::none)
    status.breaker_since =
        ports_.clock.wall() - std::chrono::floor<std::chrono::milliseconds>(now - breaker.since());
  if (!breaker.closed()) status.shut_for = std::max(breaker.probe_at() - now, Duration::zero());
  status.throttle = gate_.throttle().probability();
  status.limit = gate_.concurrency().limit();
  status.retry_budget = gate_.budget().left();
  status.last_error = last_error_;
  status.last_error_status = last_error_status_;
  status.last_error_at = last_error_at_;
  status.delivered_per_s =
      rate_ * std::exp(-std::chrono::duration<double>(now - rate_at_).count() / 30);
  status.suspects = suspects_;
  return status;
}

}  // namespace vesper
