// The outbox half of SimStore.
#include <algorithm>

#include "base/ensure.hpp"
#include "sim/sim_store.hpp"

namespace vesper::sim {

asio::awaitable<std::expected<std::uint64_t, StoreFault>> SimStore::begin_epoch() {
  co_await durably([this] { epoch_ = ++platter_->epoch; });
  co_return epoch_;
}

OwedEntry SimStore::owed_entry(Position position, const Platter::Debt& debt) const {
  const auto& diary = platter_->diaries[position - 1];
  return {position, std::hash<std::string>{}(diary.trial_id + '\0' + diary.subject_id),
          diary.facts.delivery_id, debt.attempts, diary.facts.received_at};
}

asio::awaitable<std::expected<std::vector<OwedEntry>, StoreFault>> SimStore::lease(
    std::string_view destination, Position after, std::size_t limit) {
  std::vector<OwedEntry> entries;
  auto& debts = platter_->outbox[std::string{destination}];
  for (auto it = debts.upper_bound(after); it != debts.end() && entries.size() < limit; ++it) {
    auto& debt = it->second;
    if (debt.state != DeliveryState::owed && debt.state != DeliveryState::leased) continue;
    debt.state = DeliveryState::leased;
    debt.leased_in_epoch = epoch_;
    entries.push_back(owed_entry(it->first, debt));
  }
  co_return entries;
}

asio::awaitable<std::expected<void, StoreFault>> SimStore::settle(
    std::string_view destination, std::span<const Settlement> settlements) {
  std::vector<Settlement> kept{settlements.begin(), settlements.end()};
  co_await durably([this, name = std::string{destination}, kept] {
    for (const auto& settlement : kept) {
      auto& debt = platter_->outbox[name].at(settlement.position);
      debt.attempts = settlement.attempts;
      debt.reason = settlement.reason;
      debt.state = faults_->forget_settlements && settlement.state == DeliveryState::delivered
                       ? DeliveryState::owed
                       : settlement.state;
      world_->trace("settled", settlement.position);
    }
  });
  co_return std::expected<void, StoreFault>{};
}

asio::awaitable<std::expected<std::vector<OutboxCounts>, StoreFault>> SimStore::counts(
    Patience patience) {
  if (!co_await readable(patience)) co_return std::unexpected{StoreFault::timed_out};
  std::vector<OutboxCounts> all;
  for (const auto& [destination, debts] : platter_->outbox) {
    OutboxCounts counts;
    counts.destination = destination;
    for (const auto& [position, debt] : debts) {
      if (debt.state == DeliveryState::delivered)
        ++counts.delivered;
      else if (debt.state == DeliveryState::parked)
        ++counts.parked;
      else if (++counts.owed == 1)
        counts.oldest_owed = platter_->diaries[position - 1].facts.received_at;
    }
    counts.paused = platter_->paused[destination];
    all.push_back(counts);
  }
  co_return all;
}

asio::awaitable<std::expected<std::vector<Settlement>, StoreFault>> SimStore::parked(
    std::string_view destination, Position after, std::size_t limit, Patience patience) {
  if (!co_await readable(patience)) co_return std::unexpected{StoreFault::timed_out};
  std::vector<Settlement> found;
  const auto& debts = platter_->outbox[std::string{destination}];
  for (auto it = debts.upper_bound(after); it != debts.end() && found.size() < limit; ++it) {
    if (it->second.state != DeliveryState::parked) continue;
    Settlement settlement;
    settlement.position = it->first;
    settlement.state = DeliveryState::parked;
    settlement.attempts = it->second.attempts;
    settlement.reason = it->second.reason;
    const OwedEntry entry = owed_entry(it->first, it->second);
    settlement.lane = entry.lane;
    settlement.delivery_id = entry.delivery_id;
    found.push_back(settlement);
  }
  co_return found;
}

asio::awaitable<std::expected<OwedEntry, StoreFault>> SimStore::judge_parked(
    std::string_view destination, Uuid delivery_id, const AuditEvent& event, DeliveryState next) {
  auto& debts = platter_->outbox[std::string{destination}];
  const auto found = std::ranges::find_if(debts, [&](const auto& debt) {
    return debt.second.state == DeliveryState::parked &&
           platter_->diaries[debt.first - 1].facts.delivery_id == delivery_id;
  });
  if (found == debts.end()) co_return std::unexpected{StoreFault::not_found};
  co_await durably([this, &debt = found->second, event, next] {
    debt.state = next;
    platter_->audit.push_back(event);
  });
  co_return owed_entry(found->first, found->second);
}

asio::awaitable<std::expected<OwedEntry, StoreFault>> SimStore::redrive(
    std::string_view destination, Uuid delivery_id, const AuditEvent& event) {
  return judge_parked(destination, delivery_id, event, DeliveryState::owed);
}

asio::awaitable<std::expected<OwedEntry, StoreFault>> SimStore::skip(std::string_view destination,
                                                                     Uuid delivery_id,
                                                                     const AuditEvent& event) {
  return judge_parked(destination, delivery_id, event, DeliveryState::delivered);
}

asio::awaitable<std::expected<void, StoreFault>> SimStore::pause(std::string_view destination,
                                                                 bool paused,
                                                                 const AuditEvent& event) {
  co_await durably([this, name = std::string{destination}, paused, event] {
    platter_->paused[name] = paused;
    platter_->audit.push_back(event);
  });
  co_return std::expected<void, StoreFault>{};
}

}  // namespace vesper::sim
