#include "io/sqlite/leases.hpp"

#include <algorithm>

namespace vesper {

void Leases::add(std::int64_t destination, std::span<const OwedEntry> entries) {
  if (entries.empty()) return;
  const std::lock_guard lock(mutex_);
  auto& held = held_[destination];
  for (const OwedEntry& entry : entries) held.insert(entry.position);
}
std::vector<Position> Leases::end(std::int64_t destination,
                                  std::span<const Settlement> settlements) {
  std::vector<Position> delivered;
  const std::lock_guard lock(mutex_);
  auto& held = held_[destination];
  for (const Settlement& settlement : settlements)
    if (held.erase(settlement.position) != 0 && settlement.state == DeliveryState::delivered)
      delivered.push_back(settlement.position);
  std::ranges::sort(delivered);
  return delivered;
}
void Leases::clear() {
  const std::lock_guard lock(mutex_);
  held_.clear();
}
bool Leases::has(std::int64_t destination, Position position) const {
  const std::lock_guard lock(mutex_);
  const auto it = held_.find(destination);
  return it != held_.end() && it->second.contains(position);
}

}  // namespace vesper
