#pragma once
#include <optional>

#include "base/random.hpp"
#include "flows/limits/fair_use.hpp"
#include "flows/limits/limits_keeper.hpp"
#include "ports/http_service.hpp"
#include "stages/admission/client_address.hpp"

namespace vesper {

/// One shard's limits of connections and peer addresses, asked before anything of a request is
/// believed.
///   Shape:  a connection counts for its own address; a request for that of its client, which is
///           another where a trusted proxy says so. A trusted proxy has no limit of its own: it
///           stands for many.
///   Errors: whom a trusted proxy does not name is let pass, and counted.
///   Thread: its shard; no lock but in the first request after limits have changed.
class AddressGate {
 public:
  struct Parts {
    FairUse& fair_use;
    LimitsKeeper& limits;
    const admission::ProxyTrust& proxies;
    Telemetry& telemetry;
    Random& random;
  };
  explicit AddressGate(const Parts& parts) : parts_(parts), limits_(parts.limits) {}

  /// Over the rate of its connection or its address (429)?
  [[nodiscard]] bool refuse(Exchange& exchange);
  /// May one more connection of this address be served? Then closed() follows.
  [[nodiscard]] bool opened(const PeerAddress& peer);
  void closed(const PeerAddress& peer);

 private:
  bool over(Exchange& exchange, admission::OverRate why, Duration wait);

  Parts parts_;
  LimitsView limits_;
};

}  // namespace vesper
