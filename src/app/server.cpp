#include "app/server.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

#include <boost/asio/post.hpp>

#include "app/await_on.hpp"
#include "app/demonstration.hpp"
#include "app/receipt_key_file.hpp"
#include "app/server_shard.hpp"
#include "app/settings.hpp"
#include "stages/journal/journal_formats.hpp"
#include "stages/journal/receipt_key_set.hpp"

namespace vesper {

namespace {

std::unexpected<StartFailure> failed(int exit_status, std::string text) {
  return std::unexpected{StartFailure{exit_status, std::move(text)}};
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

asio::awaitable<std::expected<std::uint16_t, ListenFault>> listen_here(HttpServer& server,
                                                                       const ListenAddress& where) {
  co_return server.listen(where.host, where.port, HttpServer::Share::first);
}

std::string address_text(const ListenAddress& listen, std::uint16_t port, bool tls) {
  const bool v6 = listen.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", tls ? "https" : "http", v6 ? "[" : "", listen.host,
                     v6 ? "]" : "", port);
}

std::string listen_advice(std::string_view key, std::string_view fault) {
  return fmt::format("{}: {} (set it in the configuration or by VESPER__{})", key, fault,
                     key == "admin.listen" ? "ADMIN__LISTEN" : "INTAKE__LISTEN");
}

}  // namespace

Server::Server(const Config& config, bool demo)
    : config_(config),
      demo_(demo),
      log_(clock_, &metrics_,
           {.level = config.log.level, .queued_bytes_max = config.log.queue_max_bytes},
           scope_.on_thread("log")) {}

Server::~Server() {
  stop();
}

Started Server::start() {
  raise_descriptor_limit();
  if (auto done = open_journal(); !done) return done;
  control_.run();
  delivering_.run();
  if (auto done = load_keys(); !done) return done;
  if (auto done = load_trials(); !done) return done;
  if (auto done = load_limits(); !done) return done;
  if (auto done = start_delivery(); !done) return done;
  if (auto done = start_anchors(); !done) return done;
  add_health_causes();
  if (auto done = open_admin(); !done) return done;
  if (auto done = open_intake(); !done) return done;
  announce();
  return {};
}

Started Server::open_journal() {
  SqliteOptions options = journal_options(config_);
  options.signer = receipt_signing(config_, files_, entropy_);
  auto store = SqliteStore::open(
      options, journal_formats(), clock_, entropy_, metrics_,
      [this](std::string_view why) { die(why); }, scope_.on_thread("journal"));
  if (!store)
    return failed(store.error().fault == OpenFault::receipt_key ? 2 : 3, store.error().detail);
  store_ = std::move(*store);
  receipt_keys_ = write_key_set(store_->receipt_keys(), store_->chain_id());
  return {};
}

std::vector<KeySource> Server::key_sources() {
  std::vector<KeySource> sources;
  for (const auto& issuer : config_.issuers) {
    KeySource source;
    source.rules = issuer_rules(issuer);
    source.location = issuer.jwks;
    source.refresh = issuer.refresh;
    source.refresh_floor = issuer.refresh_floor;
    source.fetch_deadline = issuer.fetch_deadline;
    if (issuer.remote_keys()) {
      TlsFiles files;
      files.ca_file = issuer.tls_ca.string();
      fetchers_.push_back(std::make_unique<FetchClient>(clock_, files));
      source.fetch = fetchers_.back().get();
      source.kept_path = kept_keys_path(config_, issuer);
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

Started Server::load_keys() {
  auto sources = key_sources();
  if (demo_) {
    auto demo = demonstration_keys(config_, files_, entropy_);
    if (!demo) return failed(2, demo.error());
    sources.push_back(std::move(*demo));
  }
  keys_ = std::make_unique<KeyKeeper>(std::move(sources), KeyRules{.demonstration = demo_},
                                      KeyPorts{clock_, entropy_, files_, log_, keys_scope_});
  if (auto loaded = keys_->load(); !loaded) return failed(2, loaded.error());
  keys_->start(control_.executor());
  return {};
}

Started Server::load_trials() {
  keeper_ =
      std::make_unique<CatalogKeeper>(control_.executor(), clock_, log_, metrics_, *store_,
                                      destination_names(config_), control_.scope().part("catalog"));
  keeper_->add_shard({delivering_.executor(), &delivery_catalog_});
  keeper_->add_shard({control_.executor(), &admin_catalog_});
  if (auto loaded = await_on(control_, "load trials", keeper_->load()); !loaded)
    return failed(3, loaded.error());
  if (demo_) return publish_demonstration();
  return {};
}

Started Server::publish_demonstration() {
  auto published = await_on(control_, "publish", publish_demonstration_trial(*keeper_));
  if (!published) return failed(2, published.error());
  return {};
}

Started Server::load_limits() {
  limits_ = std::make_unique<LimitsKeeper>(
      standard_limits(config_, memory_bytes_),
      LimitsKeeper::Parts{clock_, log_, *store_, files_, kept_limits_path(config_)});
  if (auto loaded = limits_->load(); !loaded) return failed(2, loaded.error());
  fair_use_ = std::make_unique<FairUse>(FairUse::Parts{clock_,
                                                       metrics_,
                                                       log_,
                                                       *store_,
                                                       slots_,
                                                       *limits_,
                                                       {entropy_.next(), entropy_.next()},
                                                       fair_use_scope_,
                                                       control_.executor()});
  fair_use_scope_.spawn(control_.executor(), "refusals", for_ever,
                        [this](TaskRecord* task) { return refusal_watch_.run(task); });
  fair_use_scope_.spawn(control_.executor(), "tick", for_ever,
                        [this](TaskRecord* task) { return fair_use_->run(task); });
  return {};
}

Started Server::open_intake() {
  if (!config_.intake.tls_certificate.empty()) {
    auto tls = TlsContext::load(
        {config_.intake.tls_certificate.string(), config_.intake.tls_key.string()});
    if (!tls) return failed(2, tls.error().text);
    tls_ = std::move(*tls);
  }
  const std::uint32_t wanted = config_.intake.shards;
  const std::uint32_t count =
      wanted != 0 ? wanted : std::max(1u, std::thread::hardware_concurrency());
  intake_port_ = config_.intake.listen.port;
  for (std::uint32_t i = 0; i < count; ++i) {
    add_shard(fmt::format("shard{}", i));
    auto port =
        shards_.back()->server->listen(config_.intake.listen.host, intake_port_,
                                       i == 0 ? HttpServer::Share::first : HttpServer::Share::join);
    if (!port) return failed(2, listen_advice("intake.listen", port.error().text));
    intake_port_ = *port;
  }
  // Every shard's catalog follows the keeper before its loop runs.
  for (auto& shard : shards_) keeper_->add_shard({shard->loop.executor(), &shard->catalog});
  for (auto& shard : shards_) shard->loop.run();
  asio::post(control_.executor(), [this] {
    limits_->watch_door([this](const LimitsKeeper::DoorInForce& door) { put_door_in_force(door); });
  });
  return {};
}

void Server::put_door_in_force(const LimitsKeeper::DoorInForce& door) {
  load_->connections_max = door.rules.connections_max;
  load_->bytes_max = door.rules.bytes_in_flight_max;
  load_->connections_tried = door.tried ? door.tried->connections_max : HttpLoad::no_ceiling;
  load_->bytes_tried = door.tried ? door.tried->bytes_in_flight_max : HttpLoad::no_ceiling;
  std::optional<admission::DoorRules> tried;
  if (door.tried) tried = admission::door_rules(*door.tried);
  for (auto& shard : shards_)
    asio::post(shard->loop.executor(), [&shard = *shard, rules = door.rules, tried] {
      shard.service->set_door(admission::door_rules(rules), tried);
      shard.server->set_reading(admission::read_rules(rules));
    });
}

void Server::add_shard(const std::string& name) {
  const admission::DoorLimits door = limits_->door().rules;
  auto shard = std::make_unique<Shard>(scope_, name);
  shard->bundles = std::make_unique<BundleDeriver>(shard->catalog);
  shard->deferred = std::make_unique<DeferredBundles>(*shard->bundles, *fair_use_);
  shard->service = std::make_unique<IntakeService>(
      intake_settings(config_, door),
      IntakeService::Parts{clock_, metrics_, *store_, shard->catalog, *keeper_, *shard->deferred,
                           *keys_, health_, entropy_, slots_, *fair_use_, *limits_, receipt_keys_});
  shard->server = std::make_unique<HttpServer>(
      shard->loop.context(),
      HttpServerParts{*shard->service, clock_, metrics_, intake_limits(config_, door), load_, tls_,
                      shard->loop.scope().part("intake"), &slots_, shards_.size()});
  shards_.push_back(std::move(shard));
}

Started Server::start_delivery() {
  delivery_bundles_ = std::make_unique<BundleDeriver>(delivery_catalog_);
  deferred_bundles_ = std::make_unique<DeferredBundles>(*delivery_bundles_, *fair_use_);
  const auto destinations = upstream_settings(config_);
  for (const auto& destination : destinations) {
    const std::string place = "upstream." + destination.name;
    if (auto fault = fault_of(destination); !fault.empty()) return failed(2, place + ": " + fault);
    if (destination.key_file.empty()) continue;
    const auto secret = files_.owner_only(destination.key_file);
    if (!secret && secret.error() == FileFault::readable_by_others)
      return failed(2, fmt::format("{}.tls_key: {}: {}", place, destination.key_file,
                                   text_of(secret.error())));
  }
  upstream_ = std::make_unique<UpstreamClient>(delivering_.executor(), clock_, destinations);
  delivery_ = std::make_unique<Delivery>(
      delivering_.executor(), destinations,
      DeliveryPorts{*store_, *store_, *upstream_, *deferred_bundles_, clock_, entropy_, metrics_,
                    log_, delivering_.scope().part("outbox")});
  store_->watch([this] { delivery_->notify(); });
  if (auto started = await_on(delivering_, "start", delivery_->start()); !started)
    return failed(3, "the outbox cannot be read");
  watch_ = std::make_unique<OutboxWatch>(*delivery_, clock_, metrics_, log_);
  watch_scope_.spawn(delivering_.executor(), "watch", for_ever,
                     [this](TaskRecord* task) { return watch_->run(task); });
  return {};
}

Started Server::start_anchors() {
  AnchorSettings settings = anchor_settings(config_);
  if (settings.file.empty() && settings.url.empty()) return {};
  const bool http = settings.url.starts_with("http://");
  if (!settings.url.empty() && !http && !settings.url.starts_with("https://"))
    return failed(2, "anchor.url: must begin with http:// or https://");
  if (http && !settings.bearer_file.empty())
    return failed(2, "anchor.url: must be https where anchor.bearer_file is set");
  TlsFiles trust;
  trust.ca_file = config_.anchor.tls_ca.string();
  anchor_fetch_ = std::make_unique<FetchClient>(clock_, trust);
  anchors_ = std::make_unique<AnchorWriter>(
      std::move(settings),
      AnchorWriter::Parts{*store_, files_, *anchor_fetch_, clock_, metrics_, log_});
  anchor_scope_.spawn(control_.executor(), "write", for_ever,
                      [this](TaskRecord* task) { return anchors_->run(task); });
  return {};
}

Started Server::open_admin() {
  add_admin_routes();
  if (auto fault = fault_of(intake_routes())) return failed(2, *fault);
  if (auto fault = admin_service_->fault()) return failed(2, *fault);
  admin_ = std::make_unique<HttpServer>(
      control_.context(),
      HttpServerParts{*admin_service_, clock_, uncounted_, admin_limits(config_), make_http_load(),
                      nullptr, control_.scope().part("http")});
  auto port = await_on(control_, "listen", listen_here(*admin_, config_.admin.listen));
  if (!port) return failed(2, listen_advice("admin.listen", port.error().text));
  admin_port_ = *port;
  stall_scope_.spawn(control_.executor(), "stall watch", for_ever,
                     [this](TaskRecord* task) { return stall_watch_.run(task); });
  return {};
}

void Server::reload() {
  keys_->reload();
  if (tls_ != nullptr)
    if (auto done = tls_->reload(); !done)
      log_.write(LogLevel::error, "tls.reload", "the certificate in force stays",
                 {{"error.message", std::string_view{done.error().text}}});
  log_.write(LogLevel::info, "reload", "certificates and keys are read again");
}

void Server::apply_live(const Config& config) {
  log_.set_level(config.log.level);
  asio::post(control_.executor(), [this, limits = standard_limits(config, memory_bytes_)] {
    limits_->configure(limits);
  });
}

std::vector<std::future<std::size_t>> Server::drain_shards(Deadline deadline) {
  std::vector<std::future<std::size_t>> draining;
  for (auto& shard : shards_) {
    if (!shard->loop.running()) continue;  // the start failed before
    draining.push_back(shard->loop.scope().ask(shard->loop.executor(), "drain", deadline,
                                               shard->server->drain(deadline)));
  }
  return draining;
}

void Server::stop() {
  if (std::exchange(stopped_, true)) return;
  health_.stop();
  const Deadline deadline{clock_.now() + config_.shutdown.deadline};
  // At once: a client that takes its time and a destination that hangs share one deadline.
  auto draining = drain_shards(deadline);
  end_background_work();
  if (delivery_) await_on(delivering_, "stop", delivery_->stop(deadline));
  for (auto& shard : draining) (void)shard.get();
  if (admin_) (void)await_on(control_, "drain", admin_->drain({clock_.now() + 200ms}));
  if (store_) store_->stop();
  if (anchors_) await_on(control_, "anchor", anchors_->finish({clock_.now() + 500ms}));
  // What the journal has only now answered ends here: a publication that control still held would
  // otherwise outlive the loop its connection belongs to.
  for (auto& shard : drain_shards({clock_.now() + 100ms})) (void)shard.get();
  for (auto& shard : shards_) shard->loop.stop();
  delivering_.stop();
  control_.stop();
  if (announced_) log_.write(LogLevel::info, "stopped", "all that was acknowledged is on disk");
  log_.flush(1s);
}

// What runs for ever on a loop uses parts that are gone before the loop is.
void Server::end_background_work() {
  const auto end = [this](Loop& loop, const TaskScope& scope) {
    if (!loop.running()) return;
    const Deadline soon{clock_.now() + 1s};
    (void)loop.scope().ask(loop.executor(), "close", soon, scope.close(clock_, soon)).wait_for(1s);
  };
  end(delivering_, watch_scope_);
  end(control_, keys_scope_);
  end(control_, stall_scope_);
  end(control_, anchor_scope_);
  end(control_, fair_use_scope_);
}

void Server::announce() {
  announced_ = true;
  const std::string intake = address_text(config_.intake.listen, intake_port_, tls_ != nullptr);
  const std::string admin = address_text(config_.admin.listen, admin_port_, false);
  log_.write(LogLevel::always, "listening", "both ports accept",
             {{"intake", std::string_view{intake}}, {"admin", std::string_view{admin}}});
  log_.flush();
}

void Server::die(std::string_view why) {
  log_.write(LogLevel::error, "journal.broken",
             "the journal failed; nothing more is acknowledged and the process ends",
             {{"error.message", why}});
  log_.flush(1s);
  _exit(3);
}

}  // namespace vesper
