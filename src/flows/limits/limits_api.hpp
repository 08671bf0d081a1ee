#pragma once
#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "flows/limits/fair_use.hpp"
#include "flows/limits/limits_keeper.hpp"
#include "ports/http_service.hpp"

namespace vesper {

/// Limits and degradation on the admin port: shown to whoever passes the guard, changed with an
/// actor and a reason that the journal keeps.
///   Thread: the admin thread, which is the control executor.
class LimitsApi {
 public:
  LimitsApi(LimitsKeeper& limits, FairUse& fair_use) : limits_(limits), fair_use_(fair_use) {}

  /// GET /limits: {"source","by","reason","at","limits":{...}}
  asio::awaitable<void> show_limits(Exchange& exchange);
  /// POST /limits: members of `limits`; what is not named stays.
  asio::awaitable<void> set_limits(Exchange& exchange, std::string actor);
  asio::awaitable<void> reset_limits(Exchange& exchange, std::string actor);
  /// GET /degradation: {"level","name","why","reason","since","pressure","journalStalled"}
  asio::awaitable<void> show_degradation(Exchange& exchange);
  /// POST /degradation: {"level": 0..4, a name, or "automatic"}
  asio::awaitable<void> set_degradation(Exchange& exchange, std::string actor);

 private:
  template <class T>
  asio::awaitable<std::optional<T>> carry_out(const Exchange& exchange, asio::awaitable<T> work);
  void answer_limits(Reply& reply) const;
  void answer_degradation(Reply& reply) const;

  LimitsKeeper& limits_;
  FairUse& fair_use_;
};

}  // namespace vesper
