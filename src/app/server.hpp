#pragma once
#include <expected>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.hpp"
#include "app/loop.hpp"
#include "app/uncounted.hpp"
#include "flows/admin/admin_service.hpp"
#include "flows/anchor/anchor_writer.hpp"
#include "flows/bundle_deriver.hpp"
#include "flows/catalog_keeper.hpp"
#include "flows/deliver/delivery.hpp"
#include "flows/deliver/outbox_api.hpp"
#include "flows/deliver/outbox_watch.hpp"
#include "flows/diagnose/stall_watch.hpp"
#include "flows/diagnose/task_dump.hpp"
#include "flows/diagnose/vars.hpp"
#include "flows/health.hpp"
#include "flows/intake_service.hpp"
#include "flows/keys/key_keeper.hpp"
#include "flows/limits/deferred_bundles.hpp"
#include "flows/limits/limits_api.hpp"
#include "flows/limits/refusal_watch.hpp"
#include "io/clock/system_clock.hpp"
#include "io/entropy/system_entropy.hpp"
#include "io/files/file_system.hpp"
#include "io/files/memory_limit.hpp"
#include "io/http/buffers.hpp"
#include "io/http/server.hpp"
#include "io/https_client/fetch_client.hpp"
#include "io/https_client/upstream_client.hpp"
#include "io/log/json_log.hpp"
#include "io/metrics/metrics.hpp"
#include "io/sqlite/sqlite_store.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {

/// Why the server does not start: a message for the operator, and the exit status.
struct StartFailure {
  int exit_status = 2;
  std::string text;
};
using Started = std::expected<void, StartFailure>;

/// The whole server, wired: every part is built here, explicitly, and handed references to what it
/// uses.
///
///   threads: N intake shards, one journal (in SqliteStore), one delivery, one admin (which is also
///            the control thread of catalog and keys).
///   start:   journal, keys, trials, demonstration, intake, admin, delivery, `listening`.
///   stop:    readyz fails, listeners drain while delivery ends, the admin port closes, key refresh
///            is cancelled, the journal empties, threads join. Also after a start that failed.
///   Thread:  the main thread only.
class Server {
 public:
  Server(const Config& config, bool demo);
  ~Server();
  Server(const Server&) = delete;

  [[nodiscard]] Started start();
  /// Certificates and keys are read again; what is wrong is logged and the old ones stay in force.
  void reload();
  /// Puts those keys of a newly read configuration in force that are marked live.
  void apply_live(const Config& config);
  /// Drains and ends within the configured deadline, whatever the destinations do.
  void stop();

 private:
  struct Shard;

  [[nodiscard]] Started open_journal();
  [[nodiscard]] Started load_keys();
  [[nodiscard]] Started load_trials();
  [[nodiscard]] Started load_limits();
  [[nodiscard]] Started publish_demonstration();
  [[nodiscard]] Started open_intake();
  void end_background_work();
  void add_shard(const std::string& name);
  void put_door_in_force(const LimitsKeeper::DoorInForce& door);
  void measure_http();
  [[nodiscard]] Started open_admin();
  [[nodiscard]] Started start_delivery();
  [[nodiscard]] Started start_anchors();
  [[nodiscard]] std::vector<KeySource> key_sources();
  void add_health_causes();
  void add_admin_routes();
  void add_index();
  void add_drain_route(std::string path, bool on);
  [[nodiscard]] std::vector<std::future<std::size_t>> drain_shards(Deadline deadline);
  void add_outbox_routes();
  void add_trial_routes();
  void add_diagnosis_routes();
  void dump_tasks(Exchange& exchange);
  [[nodiscard]] Vars vars() const;
  void add_limits_routes();
  bool guard_admin(Exchange& exchange, bool changes);
  void announce();
  [[noreturn]] void die(std::string_view why);

  const Config config_;
  const bool demo_;
  SystemClock clock_;
  const Instant began_ = clock_.now();
  std::shared_ptr<TaskRegistry> tasks_ = std::make_shared<TaskRegistry>(&clock_);
  const TaskScope scope_{tasks_, "vesper"};
  SystemEntropy entropy_;
  FileSystem files_;
  Metrics metrics_;
  Uncounted uncounted_;
  JsonLog log_;
  Health health_;
  admission::Slots slots_;
  std::unique_ptr<LimitsKeeper> limits_;
  std::unique_ptr<FairUse> fair_use_;
  std::unique_ptr<SqliteStore> store_;
  std::string receipt_keys_;
  Loop control_{scope_, "admin"}, delivering_{scope_, "deliver"};
  const TaskScope keys_scope_ = control_.scope().part("keys"),
                  stall_scope_ = control_.scope().part("stalls"),
                  anchor_scope_ = control_.scope().part("anchors"),
                  fair_use_scope_ = control_.scope().part("fair-use"),
                  watch_scope_ = delivering_.scope().part("outbox.watch");
  std::shared_ptr<TlsContext> tls_;
  std::vector<std::unique_ptr<FetchClient>> fetchers_;
  std::unique_ptr<KeyKeeper> keys_;
  std::unique_ptr<FetchClient> anchor_fetch_;
  std::unique_ptr<AnchorWriter> anchors_;
  std::unique_ptr<CatalogKeeper> keeper_;
  ShardCatalog delivery_catalog_, admin_catalog_;
  std::unique_ptr<BundleDeriver> delivery_bundles_;
  std::unique_ptr<DeferredBundles> deferred_bundles_;
  std::unique_ptr<UpstreamClient> upstream_;
  std::unique_ptr<Delivery> delivery_;
  std::unique_ptr<OutboxWatch> watch_;
  std::vector<std::unique_ptr<Shard>> shards_;
  access::Authenticator admin_door_{{.entries_max = 64, .bytes_max = 1 << 20},
                                    {entropy_.next(), entropy_.next()}};
  std::unique_ptr<OutboxApi> outbox_api_;
  std::unique_ptr<LimitsApi> limits_api_;
  Random admin_random_{entropy_.next()};
  std::unique_ptr<TrialRoutes> admin_trials_;
  std::unique_ptr<AdminService> admin_service_;
  std::unique_ptr<HttpServer> admin_;
  const std::shared_ptr<HttpLoad> load_ = make_http_load();
  const std::uint64_t memory_bytes_ = memory_limit_bytes();
  RefusalWatch refusal_watch_{clock_, log_, [this](Counter of) { return metrics_.value(of); }};
  StallWatch stall_watch_{*tasks_, clock_, metrics_, log_};
  FrameAddresses frame_addresses_;
  std::uint16_t intake_port_ = 0, admin_port_ = 0;
  bool announced_ = false, stopped_ = false;
};

}  // namespace vesper
