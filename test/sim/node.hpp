#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "flows/bundle_deriver.hpp"
#include "flows/catalog_keeper.hpp"
#include "flows/deliver/delivery.hpp"
#include "flows/health.hpp"
#include "flows/intake_service.hpp"
#include "io/log/memory_log.hpp"
#include "sim/sim_clock.hpp"
#include "sim/sim_store.hpp"
#include "sim/sim_upstream.hpp"

namespace vesper::sim {

/// What survives a power loss, and how the world misbehaves.
struct Surroundings {
  World& world;
  Platter& platter;
  SimPlatform& platform;
  DiskFaults disk;
  UpstreamFaults upstream;
};

/// One simulated process: the real flows and stages over simulated ports, in one thread. Destroying
/// it is a power loss: everything not on the platter is gone.
class Node {
 public:
  using OnReply = std::function<void(int status, std::string body)>;

  Node(Surroundings& around, std::string key_set);
  ~Node();
  Node(const Node&) = delete;

  [[nodiscard]] bool ready() const { return ready_; }
  /// One request to the intake; `on_reply` is called unless the process dies first.
  void post(const std::string& token, std::string body, OnReply on_reply);
  /// Publishes a trial as an administrator would, before the evening.
  void publish(std::string document);
  [[nodiscard]] bool published() const { return published_; }
  /// Runs whatever can run at this instant.
  void run_ready();

 private:
  struct KeyFile;
  asio::awaitable<void> start();
  asio::awaitable<void> serve(std::shared_ptr<Exchange> exchange, OnReply on_reply);

  std::unique_ptr<asio::io_context> context_ = std::make_unique<asio::io_context>(1);
  std::unique_ptr<SimClock> clock_;
  SimEntropy entropy_;
  std::unique_ptr<SimStore> store_;
  MemoryLog log_;
  std::unique_ptr<Telemetry> telemetry_;
  std::unique_ptr<SimUpstream> upstream_;
  std::unique_ptr<KeyFile> files_;
  std::unique_ptr<KeyKeeper> keys_;
  ShardCatalog catalog_;
  std::unique_ptr<CatalogKeeper> keeper_;
  std::unique_ptr<BundleDeriver> bundles_;
  std::unique_ptr<Delivery> delivery_;
  Health health_;
  admission::Slots slots_;
  std::unique_ptr<LimitsKeeper> limits_;
  std::unique_ptr<FairUse> fair_use_;
  std::unique_ptr<IntakeService> service_;
  bool ready_ = false, published_ = false;
};

/// The issuer of simulated tokens, and the destination of the simulated trial.
inline constexpr std::string_view issuer = "https://id.example";
inline constexpr std::string_view destination = "default";

}  // namespace vesper::sim
