#pragma once
#include <array>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "flows/bundle_deriver.hpp"
#include "flows/catalog_keeper.hpp"
#include "flows/deliver/delivery.hpp"
#include "flows/health.hpp"
#include "flows/intake_service.hpp"
#include "flows/limits/deferred_bundles.hpp"
#include "front.hpp"
#include "io/log/memory_log.hpp"
#include "sim/sim_clock.hpp"
#include "sim/sim_key_server.hpp"
#include "sim/sim_store.hpp"
#include "sim/sim_upstream.hpp"

namespace vesper::sim {

/// The destination of the simulated trials.
[[nodiscard]] UpstreamSettings simulated_destination();

/// How the server is set; the controls put a broken machine or setting in its place.
struct NodeSettings {
  admission::Limits limits{};
  admission::DoorRules door{};
  /// Turns for a core that takes 2 ms a diary.
  admission::ReadRules line{.turns_least = 8, .turns_in_burst = 40};
  admission::Degradation::Rules degradation{};
  admission::JournalBreaker::Rules journal_breaker{};
  GateRuleOf gate = gate_rule;
  UpstreamSettings destination = simulated_destination();
  Duration key_floor = 1s, key_deadline = 900ms;
  Costs costs{};
  bool tells_when = true;  ///< control: refusals lose their Retry-After
};

/// What survives a power loss, and how the world misbehaves.
struct Surroundings {
  World& world;
  Platter& platter;
  SimPlatform& platform;
  DiskFaults disk{};
  UpstreamFaults upstream{};
  KeyIssuer keys{};
  NodeSettings settings{};
};

/// Counts of one process.
class Tallies final : public Telemetry {
 public:
  void count(Counter counter, std::uint64_t n) override {
    counts_[static_cast<std::size_t>(counter)] += n;
  }
  void set(Gauge, std::int64_t) override {}
  void add(Gauge, std::int64_t) override {}
  void observe(Histogram, Duration) override {}
  [[nodiscard]] std::uint64_t of(Counter counter) const {
    return counts_[static_cast<std::size_t>(counter)];
  }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Counter::count_)> counts_{};
};

/// One simulated process: the real flows and stages over simulated ports, in one thread. Destroying
/// it is a power loss: everything not on the platter is gone.
class Node {
 public:
  Node(Surroundings& around, std::string key_set);
  ~Node();
  Node(const Node&) = delete;

  [[nodiscard]] bool ready() const { return ready_; }
  /// One request to the intake; `on_told` is called unless the process dies or the client leaves
  /// first.
  VisitPtr ask(const Ask& ask, OnTold on_told);
  void leave(const VisitPtr& visit) { front_->leave(visit); }
  /// Publishes a trial as an administrator would, before the evening.
  void publish(std::string trial_id, std::string document);
  [[nodiscard]] int published() const { return published_; }
  /// Runs whatever can run at this instant.
  void run_ready();

  [[nodiscard]] FairUse& fair_use() const { return *fair_use_; }
  [[nodiscard]] LimitsKeeper& limits() const { return *limits_; }
  [[nodiscard]] asio::io_context& context() const { return *context_; }
  [[nodiscard]] const Tallies& tallies() const { return telemetry_; }
  /// Public-key signatures of tokens not seen before that were checked, and when.
  [[nodiscard]] const std::vector<Instant>& cold_checks() const { return cold_checks_; }

 private:
  struct Files;
  void make_intake(Surroundings& around);
  bool begin(Visit& visit);
  Duration cold_cost(const Visit& visit);
  asio::awaitable<void> start();
  asio::awaitable<void> serve(VisitPtr visit);

  const NodeSettings settings_;
  std::unique_ptr<asio::io_context> context_ = std::make_unique<asio::io_context>(1);
  std::unique_ptr<SimClock> clock_;
  SimEntropy entropy_;
  std::unique_ptr<SimStore> store_;
  MemoryLog log_;
  Tallies telemetry_;
  std::unique_ptr<SimUpstream> upstream_;
  std::unique_ptr<Files> files_;
  std::unique_ptr<SimKeyServer> key_server_;
  std::unique_ptr<KeyKeeper> keys_;
  ShardCatalog catalog_;
  std::unique_ptr<CatalogKeeper> keeper_;
  std::unique_ptr<BundleDeriver> bundles_;
  std::unique_ptr<DeferredBundles> deferred_;
  std::unique_ptr<Delivery> delivery_;
  Health health_;
  admission::Slots slots_;
  std::unique_ptr<LimitsKeeper> limits_;
  std::unique_ptr<FairUse> fair_use_;
  std::unique_ptr<IntakeService> service_;
  std::unique_ptr<Front> front_;
  std::uint64_t verified_ = 0;
  std::vector<Instant> cold_checks_;
  bool ready_ = false;
  int published_ = 0;
};

/// The issuers of simulated tokens: one whose keys are a file, one whose keys are fetched; and the
/// destination of the simulated trials.
inline constexpr std::string_view issuer = "https://id.example",
                                  remote_issuer = "https://visitors.example";
inline constexpr std::string_view destination = "default";

}  // namespace vesper::sim
