#pragma once
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/queue_figures.hpp"
#include "flows/deliver/attempt.hpp"
#include "flows/deliver/gate_figures.hpp"
#include "stages/queue/lanes.hpp"
#include "stages/relay/backoff.hpp"
#include "stages/relay/gate.hpp"
#include "stages/relay/pacer.hpp"

namespace vesper {

/// What `vesper outbox list` says about one destination beside the store's counts.
struct DestinationStatus {
  std::string name;
  std::uint32_t in_flight = 0, concurrency = 0;
  std::size_t held = 0, waiting = 0, blocked_lanes = 0;
  bool paused = false;
  relay::BreakerState breaker = relay::BreakerState::closed;
  relay::BreakerCause breaker_cause = relay::BreakerCause::none;  ///< why it opened last
  std::optional<WallTime> breaker_since;                          ///< nothing: since the start
  Duration shut_for{};                                            ///< until the next probe
  double throttle = 0;      ///< share of turns at which a try waits
  std::uint32_t limit = 0;  ///< tries in flight that latency allows
  double retry_budget = 0;  ///< retries that may go at once
  std::string last_error;
  std::uint16_t last_error_status = 0;
  std::optional<WallTime> last_error_at;
  double delivered_per_s = 0;  ///< over about the last half minute
  std::uint64_t suspects = 0;  ///< settled by a web page since the start
};

/// Delivery to one destination: keeps its window filled, its tries going and its outcomes stored.
///
///   store --refill--> lanes --load (batches)--> loaded --worker--> upstream
///     ^                 ^                                             |
///     +----- settle ----+--- done, park (once durable) / retry -------+
///
///   Shape: everything here is pump(): it starts what can be started now; each piece of work calls
///   it when it ends; one sleeper calls it when the next thing is due. Nothing polls.
///   Bounds: one question, one read-ahead, one settlement and `concurrency` tries at a time; as
///   many workers, which rest while there is nothing to carry. Thread: the delivery executor;
///   destinations share nothing but it and the ports.
class Destination {
 public:
  Destination(asio::any_io_executor executor, const UpstreamSettings& settings,
              const DeliveryPorts& ports, std::uint64_t seed, const relay::Gate::Rule& rule);
  Destination(const Destination&) = delete;

  /// Learns which lanes are blocked, then starts. Once.
  asio::awaitable<std::expected<void, StoreFault>> open(bool paused);
  /// New debts may have been committed.
  void notify();
  /// Entries older than what has been scanned may have become owed.
  void rescan();
  void set_paused(bool paused);
  void released(const OwedEntry& entry);

  /// Starts nothing more; what is in flight ends, and its outcomes are stored.
  void stop();
  /// Cuts what is in flight; it stays owed.
  void cut();
  [[nodiscard]] bool idle() const { return active_ == 0; }
  void on_idle(std::function<void()> call) { on_idle_ = std::move(call); }

  [[nodiscard]] DestinationStatus status() const;
  [[nodiscard]] const std::string& name() const { return settings_.name; }
  /// How much of the window is held; blocked while it is full. Any thread.
  [[nodiscard]] QueueFigures window() const;
  /// To be read by any thread.
  [[nodiscard]] const GateFigures& figures() const { return figures_; }

 private:
  enum class Stage : std::uint8_t { closed, running, stopping };
  /// What a worker has: it lives in the worker's own frame.
  struct Worker {
    DeliveryJob job;
    std::uint32_t number = 0;
  };
  struct Resting {
    Worker* worker;
    asio::async_result<asio::use_awaitable_t<>, void()>::handler_type wake;
  };

  void spawn(StaticText name, asio::awaitable<void> work,
             std::source_location created = std::source_location::current());
  void ended();
  void pump();
  void pump_once(Instant now);
  void note_window(Instant now);
  [[nodiscard]] std::size_t load_room(Instant now) const;
  [[nodiscard]] bool can_start(Instant now) const;
  [[nodiscard]] Instant next_wake(Instant now);
  [[nodiscard]] Instant next_start(Instant now);
  [[nodiscard]] std::optional<OwedEntry> next_entry(Instant now);
  void watch_gate(Instant now);
  bool cut_one(Instant now);
  void store_failed(StoreFault fault);

  asio::awaitable<void> tick(TaskRecord* task);
  asio::awaitable<void> refill(queue::Lanes::Ask ask);
  void start_load(Instant now);
  asio::awaitable<void> load(std::vector<OwedEntry> entries);
  asio::awaitable<void> load_singly(std::vector<OwedEntry> entries);
  DeliveryJob take_job(Instant now, std::uint32_t worker);
  void start_worker(Instant now);
  asio::awaitable<void> work(DeliveryJob first, std::uint32_t number, TaskRecord* task);
  asio::awaitable<void> rest(Worker& worker);
  void send_home();
  asio::awaitable<void> settle();

  void conclude(const DeliveryJob& job, AttemptResult&& result);
  void record_error(const AttemptResult& result);
  void retry(const DeliveryJob& job, AttemptResult&& result, Instant now);
  void tell_change(const relay::Gate::Change& change);
  void count_delivered(const OwedEntry& entry, Instant now);
  void alert_parked(const Settlement& settlement);

  asio::any_io_executor executor_;
  UpstreamSettings settings_;
  DeliveryPorts ports_;
  Random random_;
  queue::Lanes lanes_;
  relay::Gate gate_;
  GateFigures figures_;
  relay::Pacer pacer_;
  relay::Backoff backoff_;

  Stage stage_ = Stage::closed;
  bool paused_ = false, cutting_ = false, pumping_ = false, pump_again_ = false;
  bool refilling_ = false, loading_ = false, settling_ = false, sleeping_ = false;
  std::size_t active_ = 0;
  std::size_t load_max_ = 64;
  std::deque<DeliveryJob> loaded_;
  std::string bundle_;                          ///< of the try that is being sent
  std::vector<Settlement> outcomes_, settled_;  ///< settled_: room for the next outcomes
  Instant wake_at_ = Instant::max(), store_again_{}, rescan_at_{};
  const TaskScope tasks_, ticking_, workers_;
  std::vector<Resting> resting_;  ///< without a diary; the last to rest is the first to wake
  std::vector<TaskScope> worker_scopes_;  ///< by the worker's number: there a single try is cut
  std::vector<std::uint32_t> by_slot_;    ///< of the gate: the number of who works in it
  std::function<void()> on_idle_;
  std::atomic<std::size_t> held_{0};
  std::atomic<std::int64_t> full_ns_{0};
  HighWater held_most_;
  std::optional<Instant> full_since_;

  std::string last_error_;
  std::uint16_t last_error_status_ = 0;
  std::optional<WallTime> last_error_at_;
  double rate_ = 0;
  Instant rate_at_{};
  std::uint64_t suspects_ = 0;
};

}  // namespace vesper
