#pragma once
#include <string_view>

#include "base/random.hpp"
#include "flows/limits/fair_use.hpp"
#include "flows/limits/limits_keeper.hpp"
#include "flows/routes.hpp"
#include "ports/catalog.hpp"
#include "ports/http_service.hpp"
#include "stages/access/cold_gate.hpp"
#include "stages/admission/cold_checks.hpp"

namespace vesper {

/// One shard's side of admission: what is asked of a request between the door and its body.
///   Shape:  refuse_...() leave the answer in exchange.reply and return true, or let it pass.
///           Order: class, (door), token, share, rate. Only the last two know a name, and only from
///           a verified token.
///   Thread: its shard; no lock but in the first request after limits have changed.
class ShareGate final : public access::ColdGate {
 public:
  struct Parts {
    FairUse& fair_use;
    LimitsKeeper& limits;
    const Catalog& catalog;
    Clock& clock;
    Telemetry& telemetry;
    admission::Slots& slots;
    Random& random;
    HashSeed seed;
  };
  explicit ShareGate(const Parts& parts) : parts_(parts), limits_(parts.limits) {}

  /// Classes that are given up, a journal that does not commit, ceilings of a class (503).
  [[nodiscard]] bool refuse_class(Exchange& exchange, const Route& route);
  /// The door found no room: may this request go on to its token and its share?
  /// `why`: the door's own reason, which stays the reason where no other trial wants the room.
  [[nodiscard]] bool may_ask_for_share(const Route& route, Duration waited, Counter why);
  /// After the token: a trial over its share has no room beyond the door's (503).
  [[nodiscard]] bool refuse_share(Exchange& exchange);
  /// Rates and quotas of caller and trial (429), once the trial is known.
  [[nodiscard]] bool refuse_rate(Exchange& exchange, const Route& route, std::string_view trial);
  /// The same before the body, for a token that names one trial.
  [[nodiscard]] bool refuse_rate(Exchange& exchange, const Route& route);
  /// A replay, or the server's own failure, has cost nothing.
  void give_back(Exchange& exchange);
  /// The limits of signature checks (AccessFault::busy).
  [[nodiscard]] bool admit(access::Algorithm algorithm, std::string_view claimed) override;
  [[nodiscard]] bool crowded() const { return crowded_; }
  void begin(Instant now) {
    now_ = now;
    crowded_ = false;
  }

 private:
  bool refuse_for_room(Exchange& exchange, Counter why);

  Parts parts_;
  LimitsView limits_;
  admission::ColdChecks cold_;
  Instant now_{};         ///< of the request in hand
  bool crowded_ = false;  ///< the door had no room for it
  Counter door_reason_ = Counter::refused_for_loop;
};

}  // namespace vesper
