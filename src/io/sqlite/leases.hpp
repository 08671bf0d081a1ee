#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <unordered_set>
#include <vector>

#include "model/outbox.hpp"

namespace vesper {

/// What is leased to this process, by destination: memory only, because the one process that can
/// hold a lease is the one that has the journal.
///   Thread: any.
class Leases {
 public:
  void add(std::int64_t destination, std::span<const OwedEntry> entries);
  /// Ends those of all that is settled; returns the delivered ones among them, in order.
  std::vector<Position> end(std::int64_t destination, std::span<const Settlement> settlements);
  void clear();
  [[nodiscard]] bool has(std::int64_t destination, Position position) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::int64_t, std::unordered_set<Position>> held_;
};

}  // namespace vesper
