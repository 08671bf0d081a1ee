#include "node.hpp"

#include <boost/asio/co_spawn.hpp>
#include <stdexcept>

namespace vesper::sim {
namespace {

// A fault in a flow is a fault of the test.
void rethrow(std::exception_ptr fault) {
  if (fault) std::rethrow_exception(fault);
}

constexpr Duration one_check = 107us;  // Ed25519, as ShareGate takes it

}  // namespace

UpstreamSettings simulated_destination() {
  UpstreamSettings settings;
  settings.name = destination;
  settings.url = "http://127.0.0.1:9";
  return settings;
}

/// One key set, in memory.
struct Node::Files final : FileStore {
  explicit Files(std::string text) : key_set(std::move(text)) {}
  std::expected<std::string, FileFault> read(const std::string&, std::size_t, Secrecy) override {
    return key_set;
  }
  std::expected<void, FileFault> replace(const std::string&, std::string_view) override {
    return std::unexpected{FileFault::not_permitted};
  }
  std::expected<void, FileFault> append(const std::string&, std::string_view) override {
    return std::unexpected{FileFault::not_permitted};
  }
  std::expected<FileStamp, FileFault> stamp(const std::string&) override { return FileStamp{}; }
  std::expected<void, FileFault> owner_only(const std::string&) override { return {}; }
  std::string key_set;
};

Node::Node(Surroundings& around, std::string key_set)
    : settings_(around.settings),
      clock_(std::make_unique<SimClock>(around.world)),
      entropy_(around.world),
      store_(std::make_unique<SimStore>(around.world, around.platter, around.disk)),
      upstream_(
          std::make_unique<SimUpstream>(around.world, around.platform, around.upstream, *clock_)),
      files_(std::make_unique<Files>(std::move(key_set))),
      key_server_(std::make_unique<SimKeyServer>(around.world, around.keys, *clock_)) {
  KeySource file, remote;
  file.rules.issuer = issuer;
  file.rules.grantable.add(Scope::trial_admin);
  file.location = "keys.json";
  remote.rules.issuer = remote_issuer;
  remote.location = "https://visitors.example/keys";
  remote.fetch = key_server_.get();
  remote.refresh_floor = settings_.key_floor;
  remote.fetch_deadline = settings_.key_deadline;
  file.rules.audience = remote.rules.audience = "vesper";
  keys_ = std::make_unique<KeyKeeper>(std::vector{file, remote}, KeyRules{},
                                      KeyPorts{*clock_, entropy_, *files_, log_});
  if (auto loaded = keys_->load(); !loaded) throw std::runtime_error(loaded.error());
  const auto executor = context_->get_executor();
  keys_->start(executor);
  keeper_ = std::make_unique<CatalogKeeper>(executor, *clock_, log_, telemetry_, *store_,
                                            std::vector<std::string>{std::string{destination}});
  keeper_->add_shard({executor, &catalog_});
  limits_ = std::make_unique<LimitsKeeper>(
      settings_.limits, LimitsKeeper::Parts{*clock_, log_, *store_, *files_, {}});
  fair_use_ = std::make_unique<FairUse>(FairUse::Parts{*clock_,
                                                       telemetry_,
                                                       log_,
                                                       *store_,
                                                       slots_,
                                                       *limits_,
                                                       {1, 2},
                                                       TaskScope{"sim"},
                                                       executor,
                                                       settings_.degradation,
                                                       settings_.journal_breaker});
  bundles_ = std::make_unique<BundleDeriver>(catalog_);
  deferred_ = std::make_unique<DeferredBundles>(*bundles_, *fair_use_);
  delivery_ = std::make_unique<Delivery>(
      executor, std::vector{settings_.destination},
      DeliveryPorts{*store_, *store_, *upstream_, *deferred_, *clock_, entropy_, telemetry_, log_},
      settings_.gate);
  store_->watch([this] { delivery_->notify(); });
  make_intake(around);
  asio::co_spawn(*context_, start(), rethrow);
  asio::co_spawn(*context_, fair_use_->run(nullptr), rethrow);
}

void Node::make_intake(Surroundings& around) {
  IntakeSettings intake;
  intake.door = settings_.door;
  service_ = std::make_unique<IntakeService>(
      intake, IntakeService::Parts{*clock_, telemetry_, *store_, catalog_, *keeper_, *deferred_,
                                   *keys_, health_, entropy_, slots_, *fair_use_, *limits_});
  const auto serve_later = [this](const VisitPtr& visit) {
    asio::co_spawn(*context_, serve(visit), rethrow);
  };
  front_ = std::make_unique<Front>(
      Front::Parts{around.world, slots_, settings_.costs,
                   [this](Visit& visit) { return begin(visit); }, serve_later,
                   [this](const Visit& visit) { return cold_cost(visit); }},
      settings_.line);
}

// Power loss: who waits is dropped while the executor still lives, then the frames with it.
Node::~Node() {
  front_.reset();
  store_.reset();
  clock_.reset();
  delivery_.reset();
  context_.reset();
}

asio::awaitable<void> Node::start() {
  if (auto loaded = co_await keeper_->load(); !loaded) throw std::runtime_error(loaded.error());
  if (auto started = co_await delivery_->start(); !started) throw std::runtime_error("delivery");
  ready_ = true;
}

void Node::publish(std::string trial_id, std::string document) {
  const auto put = [](Node& node, std::string id, std::string text) -> asio::awaitable<void> {
    const auto published =
        co_await node.keeper_->publish({id, text, "simulation", {true, {}}, nullptr});
    if (!published) throw std::runtime_error(to_operation_outcome(published.error().issues));
    ++node.published_;
  };
  asio::co_spawn(*context_, put(*this, std::move(trial_id), std::move(document)), rethrow);
}

VisitPtr Node::ask(const Ask& ask, OnTold on_told) {
  auto visit = std::make_shared<Visit>(ask, std::move(on_told));
  front_->arrive(visit);
  return visit;
}

bool Node::begin(Visit& visit) {
  const bool answered = service_->begin(visit);
  if (!settings_.tells_when) visit.reply.headers.clear();
  return answered;
}

// What begin() has spent on signatures: a token verified for the first time, or found out. Next to
// a signature with a public key a shared secret costs nothing.
Duration Node::cold_cost(const Visit& visit) {
  const std::uint64_t verified = telemetry_.of(Counter::tokens_verified);
  const bool good = verified != std::exchange(verified_, verified) && visit.caller != nullptr &&
                    visit.caller->algorithm == "EdDSA";
  if (!good && visit.reply.status != 401) return {};
  cold_checks_.push_back(clock_->now());
  return one_check;
}

asio::awaitable<void> Node::serve(VisitPtr visit) {
  co_await service_->serve(*visit);
  if (!settings_.tells_when && visit->reply.status >= 400) visit->reply.headers.clear();
  front_->tell(visit);
}

void Node::run_ready() {
  do context_->restart();
  while (context_->poll() > 0);
}

}  // namespace vesper::sim
