#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.hpp"

namespace vesper::admission {

/// Whose demand is counted together: a trial; or, where a token names several, their set.
using Party = std::uint16_t;

/// Divides capacity among trials while there is not enough of it.
///   Shape:  weighted max-min: each trial gets what it asks for up to a level that is the same for
///           all (times its weight), and the level is raised until capacity is used. A trial that
///           asks for less than the level is inside its share and is admitted, whatever others do;
///           one over it gets what room the door finds. A count within the tick holds a trial that
///           starts to flood before its demand has been measured. Alone, a trial has nobody whose
///           room it could want: it is never inside.
///   Units:  demand and level in requests a second; measured each tick, forgotten by half in 0.3 s.
///   Bounds: parties_max trials at once. One more shares a party with others that came too late,
///           and so their share, until a party is idle for a minute.
///   Thread: party_of(), count(), inside_share(): any, no lock. tick(): one at a time.
///   Source: max-min fairness by water-filling, Bertsekas and Gallager, Data Networks, 6.5.2.
class TrialShares {
 public:
  static constexpr std::size_t parties_max = 1024;
  static constexpr Party the_rest = 0;

  TrialShares();

  /// The party of a trial's keyed hash.
  [[nodiscard]] Party party_of(std::uint64_t name);
  /// Its weight from the next tick on.
  void set_weight(Party party, double weight);

  /// One request asked to enter, whether or not there is room.
  void count(Party party);
  /// There is no room: is this trial inside its share all the same?
  [[nodiscard]] bool inside_share(Party party) const;
  /// Another trial asks of late, so that there is anybody to share with.
  [[nodiscard]] bool contended(Party party) const;
  /// Asks for more than its share, by the latest tick: whose connections wait first.
  [[nodiscard]] bool over_share(Party party) const {
    return at(party).over.load(std::memory_order_relaxed);
  }
  /// Measures demand since the last tick and sets the level.
  ///   `capacity`: what may be admitted a second, over all trials.
  void tick(double capacity, Instant now);
  /// What a trial of weight 1 may have; for figures.
  [[nodiscard]] double level() const { return level_; }
  /// Trials that asked for anything of late.
  [[nodiscard]] std::size_t active() const { return active_.size(); }

 private:
  struct alignas(64) Slot {
    std::atomic<std::uint64_t> name{0};
    std::atomic<std::uint32_t> asked{0};  ///< in this tick
    std::atomic<std::uint32_t> quota{0};  ///< what a share may ask in a tick; 0: a newcomer's
    std::atomic<bool> over{false}, asked_before{false};
    std::atomic<double> weight{1};
    // tick()'s own
    double demand = 0;
    Instant seen{};
  };
  [[nodiscard]] Slot& at(Party party) { return slots_[party]; }
  [[nodiscard]] const Slot& at(Party party) const { return slots_[party]; }
  void measure(double seconds, Instant now);
  [[nodiscard]] double find_level(double capacity);

  std::unique_ptr<std::array<Slot, parties_max>> memory_;
  std::array<Slot, parties_max>& slots_;
  std::vector<Party> active_;
  Instant ticked_{};
  double level_ = 0;
  std::atomic<std::uint32_t> newcomer_quota_{0}, asking_{0}, asked_before_{0};
};

}  // namespace vesper::admission
