#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "base/random.hpp"
#include "flows/catalog_keeper.hpp"
#include "flows/health.hpp"
#include "flows/ingest.hpp"
#include "flows/keys/key_keeper.hpp"
#include "flows/limits/address_gate.hpp"
#include "flows/limits/share_gate.hpp"
#include "flows/read_diary.hpp"
#include "flows/routes.hpp"
#include "flows/trial_routes.hpp"
#include "ports/entropy.hpp"
#include "ports/http_service.hpp"
#include "stages/access/authenticator.hpp"
#include "stages/admission/door.hpp"
#include "stages/admission/slots.hpp"

namespace vesper {

struct IntakeSettings {
  std::uint64_t body_limit_bytes = 1 << 20;
  Duration submit_deadline = 10s;       ///< from the last byte of a diary to its commit
  access::TokenCache::Limits tokens{};  ///< of each shard
  admission::DoorRules door{};
  admission::ProxyTrust proxies{};
};

/// What the intake port serves, on one shard: the route table, credentials, and one flow a route.
///   Thread: its shard. References outlive it.
class IntakeService final : public HttpService {
 public:
  struct Parts {
    Clock& clock;
    Telemetry& telemetry;
    JournalStore& journal;
    const Catalog& catalog;
    CatalogKeeper& keeper;
    BundleSource& bundles;
    KeyKeeper& keys;
    const Health& health;
    Entropy& entropy;
    admission::Slots& slots;
    FairUse& fair_use;
    LimitsKeeper& limits;
    std::string_view receipt_keys = R"({"keys":[]})";  ///< the JWK set, as it is served
  };
  IntakeService(const IntakeSettings& settings, const Parts& parts);

  bool begin(Exchange& exchange) override;
  asio::awaitable<void> serve(Exchange& exchange) override;
  void explain(std::uint16_t status, std::string_view diagnostics, Reply& reply) override;
  bool connected(const PeerAddress& peer) override { return addresses_.opened(peer); }
  void disconnected(const PeerAddress& peer) override { addresses_.closed(peer); }
  /// Puts other thresholds in force; of those `tried` is only counted what they would refuse.
  void set_door(const admission::DoorRules& rules,
                const std::optional<admission::DoorRules>& tried = {});

 private:
  bool refuse_at_door(Exchange& exchange, const Route& route);
  bool answer_unrouted(Exchange& exchange, const RouteMatch& match);
  bool refuse_caller(Exchange& exchange, access::Action action);
  using Accepted = std::expected<access::Authenticator::Accepted, access::AccessRefusal>;
  Accepted authenticate(std::string_view authorization);
  bool refuse_unless_accepted(Exchange& exchange, access::Action action, Accepted& accepted,
                              bool come_again);
  asio::awaitable<void> serve_when_keys_are_settled(Exchange& exchange);
  asio::awaitable<void> dispatch(Exchange& exchange);
  bool refuse_body(Exchange& exchange, const Route& route);
  asio::awaitable<void> list_receipt_keys(Exchange& exchange);
  [[nodiscard]] Duration allowed_to(const Route& route) const;
  void allow_for_slow_body(Exchange& exchange) const;
  void set_deadline(Exchange& exchange, const Route& route) const;

  IntakeSettings settings_;
  Parts parts_;
  Random random_;
  KeyView keys_;
  access::Authenticator authenticator_;
  admission::Door door_;
  std::optional<admission::Door> tried_;  ///< of a dry run
  ShareGate gate_;
  AddressGate addresses_;
  Ingest ingest_;
  DiaryReader reader_;
  TrialRoutes trials_;
};

}  // namespace vesper
