#include "flows/deliver/delivery.hpp"

#include <algorithm>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace vesper {

Delivery::Delivery(asio::any_io_executor executor,
                   const std::vector<UpstreamSettings>& destinations, const DeliveryPorts& ports,
                   const GateRuleOf& rule_of)
    : executor_(std::move(executor)), ports_(ports) {
  for (const auto& settings : destinations)
    destinations_.push_back(std::make_unique<Destination>(
        executor_, settings, ports_, ports_.entropy.next(), rule_of(settings)));
}

asio::awaitable<std::expected<void, StoreFault>> Delivery::start() {
  const auto epoch = co_await ports_.outbox.begin_epoch();
  if (!epoch) co_return std::unexpected(epoch.error());
  const auto counts = co_await ports_.outbox.counts();
  if (!counts) co_return std::unexpected(counts.error());
  for (const auto& destination : destinations_) {
    const auto known = std::ranges::find(*counts, destination->name(), &OutboxCounts::destination);
    const auto opened = co_await destination->open(known != counts->end() && known->paused);
    if (!opened) co_return std::unexpected(opened.error());
  }
  for (const auto& known : *counts)
    if (known.owed + known.parked > 0 && find(known.destination) == nullptr)
      ports_.log.write(LogLevel::error, "destination.unknown",
                       "diaries are owed to a destination that is not configured; they wait",
                       {{"vesper.destination", std::string_view{known.destination}},
                        {"vesper.owed", static_cast<std::int64_t>(known.owed + known.parked)}});
  co_return std::expected<void, StoreFault>{};
}

void Delivery::notify() {
  if (notified_.exchange(true, std::memory_order_acq_rel)) return;
  asio::post(executor_, [this] {
    notified_.store(false, std::memory_order_release);
    const bool again = rescan_.exchange(false);
    for (const auto& destination : destinations_)
      again ? destination->rescan() : destination->notify();
  });
}

void Delivery::rescan() {
  rescan_.store(true);
  notify();
}

std::vector<std::pair<std::string, QueueFigures>> Delivery::windows() const {
  std::vector<std::pair<std::string, QueueFigures>> windows;
  for (const auto& destination : destinations_)
    windows.emplace_back(destination->name(), destination->window());
  return windows;
}

bool Delivery::idle() const {
  return std::ranges::all_of(destinations_, [](const auto& d) { return d->idle(); });
}

asio::awaitable<void> Delivery::wait_idle(Deadline deadline) {
  if (idle()) co_return;
  asio::cancellation_signal all_idle;
  for (const auto& destination : destinations_)
    destination->on_idle([this, &all_idle] {
      if (idle()) all_idle.emit(asio::cancellation_type::terminal);
    });
  (void)co_await ports_.scope.call(
      executor_, "wait for idle", deadline,
      [](const Delivery& delivery, Instant when) -> asio::awaitable<bool> {
        co_await asio::this_coro::throw_if_cancelled(false);
        if (delivery.idle()) co_return true;  // since it was spawned
        co_return co_await delivery.clock().sleep_until(when);
      }(*this, deadline.at),
      all_idle.slot());
  for (const auto& destination : destinations_) destination->on_idle({});
}

asio::awaitable<void> Delivery::stop(Deadline deadline) {
  for (const auto& destination : destinations_) destination->stop();
  co_await wait_idle(deadline);
  if (idle()) co_return;
  for (const auto& destination : destinations_) destination->cut();
  co_await wait_idle(Deadline{ports_.clock.now() + 1s});
}

Destination* Delivery::find(std::string_view name) const {
  const auto at = std::ranges::find_if(destinations_, [&](auto& d) { return d->name() == name; });
  return at == destinations_.end() ? nullptr : at->get();
}

void Delivery::expose(std::string& out) const {
  std::vector<std::pair<std::string_view, const GateFigures*>> gates;
  for (const auto& destination : destinations_)
    gates.emplace_back(destination->name(), &destination->figures());
  GateFigures::expose(out, ports_.clock.now(), gates);
}

asio::awaitable<std::expected<std::vector<OutboxRow>, StoreFault>> Delivery::list(
    Patience patience) {
  auto counts = co_await ports_.outbox.counts(patience);
  if (!counts) co_return std::unexpected(counts.error());
  std::vector<OutboxRow> rows;
  for (const auto& destination : destinations_) {
    OutboxRow row{.counts = {}, .status = destination->status()};
    row.counts.destination = destination->name();
    rows.push_back(std::move(row));
  }
  for (auto& known : *counts) {
    const auto row = std::ranges::find_if(
        rows, [&](const OutboxRow& r) { return r.counts.destination == known.destination; });
    known.configured = row != rows.end();
    if (row != rows.end())
      row->counts = std::move(known);
    else
      rows.push_back({std::move(known), {}});
  }
  co_return rows;
}

asio::awaitable<std::expected<std::vector<Settlement>, StoreFault>> Delivery::parked(
    std::string_view destination, Position after, std::size_t limit, Patience patience) {
  return ports_.outbox.parked(destination, after, limit, patience);
}

asio::awaitable<std::expected<void, StoreFault>> Delivery::redrive(std::string_view destination,
                                                                   Uuid delivery_id,
                                                                   const AuditEvent& event) {
  const auto entry = co_await ports_.outbox.redrive(destination, delivery_id, event);
  if (!entry) co_return std::unexpected(entry.error());
  if (auto* known = find(destination)) known->released(*entry);
  co_return std::expected<void, StoreFault>{};
}

asio::awaitable<std::expected<void, StoreFault>> Delivery::skip(std::string_view destination,
                                                                Uuid delivery_id,
                                                                const AuditEvent& event) {
  const auto entry = co_await ports_.outbox.skip(destination, delivery_id, event);
  if (!entry) co_return std::unexpected(entry.error());
  if (auto* known = find(destination)) known->released(*entry);
  co_return std::expected<void, StoreFault>{};
}

asio::awaitable<std::expected<void, StoreFault>> Delivery::pause(std::string_view destination,
                                                                 bool paused,
                                                                 const AuditEvent& event) {
  const auto done = co_await ports_.outbox.pause(destination, paused, event);
  if (!done) co_return std::unexpected(done.error());
  if (auto* known = find(destination)) known->set_paused(paused);
  co_return std::expected<void, StoreFault>{};
}

}  // namespace vesper
