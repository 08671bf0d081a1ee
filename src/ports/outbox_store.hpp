#pragma once
#include <boost/asio/awaitable.hpp>
#include <expected>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "model/outbox.hpp"
#include "ports/journal_store.hpp"

namespace vesper {

/// What is owed to whom. The same database as the journal: a diary and its debts commit together.
///   Thread: any executor, as JournalStore.
class OutboxStore {
 public:
  virtual ~OutboxStore() = default;

  /// `owed` is called after each commit that stored debts, on the store's thread: it must be quick
  /// and may be called from any thread. Set before the first commit.
  virtual void watch(std::function<void()> owed) = 0;

  /// Starts an epoch of this process: leases of earlier epochs are void. Once, before any lease.
  virtual asio::awaitable<std::expected<std::uint64_t, StoreFault>> begin_epoch() = 0;

  /// Up to `limit` entries owed to `destination` with position > `after`, in position order, not
  /// parked. They count as leased to this epoch until settled or released.
  /// Entries behind a parked one of their lane may be among them: the flow holds those back. An
  /// entry leased to this epoch and not settled is returned again: the flow knows which it holds,
  /// and scans anew for those it has passed over.
  virtual asio::awaitable<std::expected<std::vector<OwedEntry>, StoreFault>> lease(
      std::string_view destination, Position after, std::size_t limit) = 0;
  /// Stores outcomes, all or none; an entry settled as owed is no longer leased.
  virtual asio::awaitable<std::expected<void, StoreFault>> settle(
      std::string_view destination, std::span<const Settlement> settlements) = 0;

  virtual asio::awaitable<std::expected<std::vector<OutboxCounts>, StoreFault>> counts(
      Patience patience = {}) = 0;
  /// Parked entries, oldest first, after `after`; `lane` and `delivery_id` are filled.
  virtual asio::awaitable<std::expected<std::vector<Settlement>, StoreFault>> parked(
      std::string_view destination, Position after, std::size_t limit, Patience patience = {}) = 0;
  /// A parked entry is owed again (redrive), or given up by a named person (skip). Audited.
  ///   Errors: not_found when it is not parked.
  virtual asio::awaitable<std::expected<OwedEntry, StoreFault>> redrive(
      std::string_view destination, Uuid delivery_id, const AuditEvent& event) = 0;
  virtual asio::awaitable<std::expected<OwedEntry, StoreFault>> skip(std::string_view destination,
                                                                     Uuid delivery_id,
                                                                     const AuditEvent& event) = 0;
  /// Pausing survives a restart. Audited.
  virtual asio::awaitable<std::expected<void, StoreFault>> pause(std::string_view destination,
                                                                 bool paused,
                                                                 const AuditEvent& event) = 0;
};

}  // namespace vesper
