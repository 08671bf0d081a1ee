#pragma once
#include <cstdint>

#include "base/time.hpp"
#include "stages/admission/queue_delay.hpp"
#include "stages/admission/traffic_class.hpp"

namespace vesper::admission {

/// Thresholds of the door: one value that is copied into each shard, also while it runs.
struct DoorRules {
  QueueDelay::Rules loop{};  ///< waits for the shard
  QueueDelay::Rules journal{
      .normal_max = 50ms, .overloaded_max = 15ms, .interval = 40ms};  ///< beyond one commit
  Duration journal_late_max = 100ms;  ///< beyond one commit, of a journal that is late itself
  bool enabled = true;
  friend bool operator==(const DoorRules&, const DoorRules&) = default;
};

/// What is known of a request before anything of it is believed.
struct Asked {
  TrafficClass what = TrafficClass::submissions;
  Duration waited{};          ///< since its bytes were there to be read
  Duration journal_wait{};    ///< predicted, until a commit that it joins begins
  Duration journal_queue{};   ///< of it, what those before it cost as long as the disk is as usual
  Duration journal_commit{};  ///< of one commit
  Duration remaining{};       ///< until its deadline
  bool surplus = false;       ///< the reading line had no turn for it
};

enum class Verdict : std::uint8_t {
  admit,
  crowded,  ///< no room but for a trial inside its share; without such a rule: refuse
  refuse    ///< nobody's rule can help
};

enum class RefusedFor : std::uint8_t { nothing, loop_wait, journal_wait, deadline };

struct Decision {
  Verdict verdict = Verdict::admit;
  RefusedFor why = RefusedFor::nothing;
};

/// May one more request enter, whoever sent it?
///   Shape:  asked once a request, on its head alone, before its token is looked at. Order of
///           classes: reads are refused at half of a diary's limit, exports at a quarter.
///   Bounds: health and admin are always admitted.
///   Thread: one owner; never blocks, allocates or throws.
class Door {
 public:
  explicit Door(const DoorRules& rules)
      : rules_(rules), loop_(rules.loop), journal_(rules.journal) {}
  void set(const DoorRules& rules) {
    rules_ = rules;
    loop_.set(rules.loop);
    journal_.set(rules.journal);
  }

  [[nodiscard]] Decision ask(const Asked& asked, Instant now);
  [[nodiscard]] bool overloaded(Instant now) {
    return loop_.overloaded(now) || journal_.overloaded(now);
  }
  [[nodiscard]] const DoorRules& rules() const { return rules_; }

 private:
  DoorRules rules_;
  QueueDelay loop_, journal_;
};

}  // namespace vesper::admission
