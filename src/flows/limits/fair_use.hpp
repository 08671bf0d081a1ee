#pragma once
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "base/sip_hash.hpp"
#include "flows/limits/limits_keeper.hpp"
#include "ports/telemetry.hpp"
#include "stages/admission/address_allowances.hpp"
#include "stages/admission/allowances.hpp"
#include "stages/admission/degradation.hpp"
#include "stages/admission/journal_breaker.hpp"
#include "stages/admission/slots.hpp"
#include "stages/admission/trial_shares.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {

/// What all shards share of admission: allowances of verified names and of addresses, shares of
/// trials, the level of degradation and the journal's breaker.
///   Shape:  shards ask and count (share_gate.hpp); every 100 ms tick() measures and decides.
///   Thread: tick(), choose(), run() and the getters below them on the control executor; the rest
///           any, no lock.
class FairUse {
 public:
  static constexpr Duration tick_every = 100ms;

  struct Parts {
    Clock& clock;
    Telemetry& telemetry;
    Log& log;
    JournalStore& journal;
    admission::Slots& slots;
    LimitsKeeper& limits;
    HashSeed seed;
    TaskScope scope;  ///< of what tick() has to write down
    asio::any_io_executor executor;
    admission::Degradation::Rules degradation{};
    admission::JournalBreaker::Rules journal_breaker{};
  };
  explicit FairUse(const Parts& parts);

  [[nodiscard]] admission::DegradationLevel level() const {
    return level_.load(std::memory_order_relaxed);
  }
  /// Diaries would wait for a journal that does not commit.
  [[nodiscard]] bool journal_stalled() const { return stalled_.load(std::memory_order_relaxed); }
  [[nodiscard]] admission::Allowances& allowances() { return allowances_; }
  [[nodiscard]] admission::AddressAllowances& addresses() { return addresses_; }
  [[nodiscard]] admission::TrialShares& shares() { return shares_; }
  /// The party of a caller: its trial, or where the token names several, all of them together.
  [[nodiscard]] admission::Party party_of(const Caller& caller);
  /// The door had no room for one that had waited so long.
  void note_crowded(Duration waited);
  void note_admitted() { admitted_.fetch_add(1, std::memory_order_relaxed); }

  /// One of a class' ceiling; true when there is room. 0 is no ceiling.
  [[nodiscard]] bool below_ceiling(std::size_t route_class, double per_second, Instant now);

  void tick(Instant now);
  /// Ticks until it is cancelled.
  asio::awaitable<void> run(TaskRecord* task);

  /// A person puts a level in force, or leaves it to pressure again. Audited first.
  asio::awaitable<std::expected<void, std::string>> choose(
      std::optional<admission::DegradationLevel> level, std::string by, std::string reason);
  [[nodiscard]] const admission::Degradation& degradation() const { return degradation_; }
  /// Who chose the level in force, or why pressure did.
  [[nodiscard]] const std::string& level_reason() const { return reason_; }
  /// Where what operators change is carried out.
  [[nodiscard]] const Parts& parts() const { return parts_; }
  [[nodiscard]] WallTime level_since() const { return since_; }
  [[nodiscard]] double pressure() const { return pressure_; }

 private:
  void measure_shares(Instant now);
  void watch_journal(Instant now);
  void degrade(Instant now);
  void level_changed(std::string by, std::string reason);

  Parts parts_;
  LimitsView limits_;
  admission::Allowances allowances_;
  admission::AddressAllowances addresses_;
  admission::TrialShares shares_;
  std::array<std::atomic<std::uint64_t>, 5> ceilings_{};
  std::atomic<admission::DegradationLevel> level_{admission::DegradationLevel::normal};
  std::atomic<bool> stalled_{false};
  std::atomic<std::uint32_t> crowded_{0}, admitted_{0};
  std::atomic<std::int64_t> least_crowded_wait_ns_{INT64_MAX};

  // The control executor's own.
  admission::Degradation degradation_;
  admission::JournalBreaker breaker_;
  double capacity_ = 0, pressure_ = 0;
  Instant ticked_{};
  std::uint64_t forgotten_ = 0;
  std::string reason_;
  WallTime since_;
};

}  // namespace vesper
