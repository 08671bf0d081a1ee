#include "node.hpp"

#include <boost/asio/co_spawn.hpp>
#include <stdexcept>

namespace vesper::sim {
namespace {

struct Silence final : Telemetry {
  void count(Counter, std::uint64_t) override {}
  void set(Gauge, std::int64_t) override {}
  void add(Gauge, std::int64_t) override {}
  void observe(Histogram, Duration) override {}
};

// A fault in a flow is a fault of the test.
void rethrow(std::exception_ptr fault) {
  if (fault) std::rethrow_exception(fault);
}

UpstreamSettings destination_settings() {
  UpstreamSettings settings;
  settings.name = destination;
  settings.url = "http://127.0.0.1:9";
  return settings;
}

}  // namespace

/// One key set, in memory.
struct Node::KeyFile final : FileStore {
  explicit KeyFile(std::string text) : key_set(std::move(text)) {}
  std::expected<std::string, FileFault> read(const std::string&, std::size_t, Secrecy) override {
    return key_set;
  }
  std::expected<void, FileFault> replace(const std::string&, std::string_view) override {
    return std::unexpected{FileFault::not_permitted};
  }
  std::expected<FileStamp, FileFault> stamp(const std::string&) override { return FileStamp{}; }
  std::expected<void, FileFault> owner_only(const std::string&) override { return {}; }
  std::string key_set;
};

Node::Node(Surroundings& around, std::string key_set)
    : clock_(std::make_unique<SimClock>(around.world)),
      entropy_(around.world),
      store_(std::make_unique<SimStore>(around.world, around.platter, around.disk)),
      telemetry_(std::make_unique<Silence>()),
      upstream_(
          std::make_unique<SimUpstream>(around.world, around.platform, around.upstream, *clock_)),
      files_(std::make_unique<KeyFile>(std::move(key_set))) {
  KeySource source;
  source.rules.issuer = issuer;
  source.rules.audience = "vesper";
  source.rules.grantable.add(Scope::trial_admin);
  source.location = "keys.json";
  keys_ = std::make_unique<KeyKeeper>(std::vector{source}, KeyRules{},
                                      KeyPorts{*clock_, entropy_, *files_, log_});
  if (auto loaded = keys_->load(); !loaded) throw std::runtime_error(loaded.error());
  const auto executor = context_->get_executor();
  keeper_ = std::make_unique<CatalogKeeper>(executor, *clock_, log_, *telemetry_, *store_,
                                            std::vector<std::string>{std::string{destination}});
  keeper_->add_shard({executor, &catalog_});
  bundles_ = std::make_unique<BundleDeriver>(catalog_);
  delivery_ = std::make_unique<Delivery>(
      executor, std::vector{destination_settings()},
      DeliveryPorts{*store_, *store_, *upstream_, *bundles_, *clock_, entropy_, *telemetry_, log_});
  store_->watch([this] { delivery_->notify(); });
  limits_ = std::make_unique<LimitsKeeper>(
      admission::Limits{}, LimitsKeeper::Parts{*clock_, log_, *store_, *files_, {}});
  fair_use_ = std::make_unique<FairUse>(FairUse::Parts{
      *clock_, *telemetry_, log_, *store_, slots_, *limits_, {1, 2}, TaskScope{"sim"}, executor});
  service_ = std::make_unique<IntakeService>(
      IntakeSettings{},
      IntakeService::Parts{*clock_, *telemetry_, *store_, catalog_, *keeper_, *bundles_, *keys_,
                           health_, entropy_, slots_, *fair_use_, *limits_});
  asio::co_spawn(*context_, start(), rethrow);
}

// Power loss: who waits is dropped while the executor still lives, then the frames with it.
Node::~Node() {
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

void Node::publish(std::string document) {
  const auto put = [](Node& node, std::string text) -> asio::awaitable<void> {
    const auto published =
        co_await node.keeper_->publish({"EVENING-01", text, "simulation", {true, {}}, nullptr});
    if (!published) throw std::runtime_error(to_operation_outcome(published.error().issues));
    node.published_ = true;
  };
  asio::co_spawn(*context_, put(*this, std::move(document)), rethrow);
}

void Node::post(const std::string& token, std::string body, OnReply on_reply) {
  // What the HTTP server would own: the bytes and the headers that point into them.
  struct Request : Exchange {
    std::string bytes, authorization, length;
    std::array<Header, 3> lines;
  };
  auto request = std::make_shared<Request>();
  request->bytes = std::move(body);
  request->authorization = "Bearer " + token;
  request->length = std::to_string(request->bytes.size());
  request->lines = {Header{"Authorization", request->authorization},
                    Header{"Content-Type", "application/json"},
                    Header{"Content-Length", request->length}};
  request->head.method = Method::post;
  request->head.method_name = "POST";
  request->head.path = "/patient/data";
  request->head.headers = request->lines;
  request->head.has_content_length = true;
  request->head.content_length = request->bytes.size();
  request->started = clock_->now();
  if (service_->begin(*request)) return on_reply(request->reply.status, request->reply.body);
  request->body = request->bytes;
  asio::co_spawn(*context_, serve(request, std::move(on_reply)), rethrow);
}

asio::awaitable<void> Node::serve(std::shared_ptr<Exchange> exchange, OnReply on_reply) {
  co_await service_->serve(*exchange);
  on_reply(exchange->reply.status, exchange->reply.body);
}

void Node::run_ready() {
  do context_->restart();
  while (context_->poll() > 0);
}

}  // namespace vesper::sim
