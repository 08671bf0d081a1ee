#pragma once
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "flows/deliver/destination.hpp"
#include "flows/deliver/protection.hpp"

namespace vesper {

/// One row of `vesper outbox list`.
struct OutboxRow {
  OutboxCounts counts;
  DestinationStatus status;  ///< `name` empty: the destination has left the configuration
};

/// How the gate of a destination is set; simulations put a broken one in its place.
using GateRuleOf = std::function<relay::Gate::Rule(const UpstreamSettings&)>;

/// Delivery of what is owed, to every configured destination, inside this process.
///   Thread: start, stop and the commands run on the delivery executor; notify() on any thread.
///   Why: destinations share no queue, so a slow one harms no other.
class Delivery {
 public:
  /// `executor` is the delivery thread's; `ports` outlive this object, and this object outlives
  /// what it has posted to the executor.
  Delivery(asio::any_io_executor executor, const std::vector<UpstreamSettings>& destinations,
           const DeliveryPorts& ports, const GateRuleOf& rule_of = gate_rule);

  /// Begins this process's epoch, which voids the leases of earlier ones, and starts to deliver.
  asio::awaitable<std::expected<void, StoreFault>> start();
  /// After a commit group with debts: one atomic exchange, and one post when none is pending.
  void notify();
  /// After something older became owed (a held diary was released).
  void rescan();
  /// Starts nothing more, waits for what is in flight, cuts the rest at `deadline`. All that is not
  /// confirmed stays owed.
  asio::awaitable<void> stop(Deadline deadline);

  asio::awaitable<std::expected<std::vector<OutboxRow>, StoreFault>> list(Patience patience = {});
  asio::awaitable<std::expected<std::vector<Settlement>, StoreFault>> parked(
      std::string_view destination, Position after, std::size_t limit, Patience patience = {});
  asio::awaitable<std::expected<void, StoreFault>> redrive(std::string_view destination,
                                                           Uuid delivery_id,
                                                           const AuditEvent& event);
  asio::awaitable<std::expected<void, StoreFault>> skip(std::string_view destination,
                                                        Uuid delivery_id, const AuditEvent& event);
  asio::awaitable<std::expected<void, StoreFault>> pause(std::string_view destination, bool paused,
                                                         const AuditEvent& event);

  /// Appends the destinations' breakers, throttles and limits as Prometheus text. Any thread.
  void expose(std::string& out) const;

  [[nodiscard]] const asio::any_io_executor& executor() const { return executor_; }
  [[nodiscard]] Clock& clock() const { return ports_.clock; }
  /// By destination. Any thread.
  [[nodiscard]] std::vector<std::pair<std::string, QueueFigures>> windows() const;
  [[nodiscard]] const TaskScope& scope() const { return ports_.scope; }

 private:
  [[nodiscard]] Destination* find(std::string_view name) const;
  [[nodiscard]] bool idle() const;
  asio::awaitable<void> wait_idle(Deadline deadline);

  asio::any_io_executor executor_;
  DeliveryPorts ports_;
  std::vector<std::unique_ptr<Destination>> destinations_;
  std::atomic<bool> notified_{false}, rescan_{false};
};

}  // namespace vesper
