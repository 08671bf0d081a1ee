#pragma once
#include <cstdint>
#include <string_view>

#include "base/time.hpp"
#include "stages/relay/tally.hpp"

namespace vesper::relay {

/// Where a breaker stands; named as readers know it: closed lets deliveries flow.
enum class BreakerState : std::uint8_t { closed, open, half_open };
[[nodiscard]] std::string_view name_of(BreakerState state);

/// Why it opened last.
enum class BreakerCause : std::uint8_t {
  none,
  faults,   ///< tries fail: refused, cut, timed out, 3xx, 401, 404, 5xx ...
  slow,     ///< tries are answered, or still wait, too slowly
  stalled,  ///< everything allowed is in flight, and nothing comes back
  told      ///< the destination named a time (Retry-After)
};
[[nodiscard]] std::string_view name_of(BreakerCause cause);

/// Stops deliveries to a destination that is itself at fault, and finds out when it is well again.
///
///   closed --faults in a row, or a share of faults or slow answers; stalled; told--> open
///   open ------a probe starts------> half_open --all probes failed--> open
///   open, half_open ------a quick answer, or `slow_answers` slow ones------> closed
///
///   closed:    any number may start.
///   open:      nothing but a probe may start, and that from probe_at() on.
///   half_open: the same; at least one probe is in flight. One that hangs does not keep the next
///              from starting.
///   Shape:  epoch() changes whenever it opens or closes. What was begun in an earlier epoch says
///           nothing now, but that an answer while open calls for a probe at once, and a quick
///           one ends a stall.
///   Bounds: probes are at most `probe_every` apart, however long it has been open, but for a time
///           the destination has named. No isolation that grows, so none to be stuck in.
class Breaker {
 public:
  struct Rule {
    Duration span = 3s;
    double fault_share = 0.8, slow_share = 0.8;  ///< of at least `volume` tries in `span`
    std::uint32_t volume = 20;
    std::uint32_t streak = 16;       ///< faults in a row while answers came of late
    std::uint32_t quiet_streak = 3;  ///< faults in a row after `quiet` without an answer
    Duration quiet = 1s;
    std::uint32_t trial = 8;  ///< answers after closing until it takes `streak` faults again
    Duration probe_first = 100ms, probe_every = 1s;
    std::uint32_t slow_answers = 4;
  };
  enum class Ended : std::uint8_t { answered, slow, fault };

  explicit Breaker(const Rule& rule) : rule_(rule), tally_(rule.span) {}

  [[nodiscard]] BreakerState state() const {
    return !open_        ? BreakerState::closed
           : probes_ > 0 ? BreakerState::half_open
                         : BreakerState::open;
  }
  [[nodiscard]] bool closed() const { return !open_; }
  [[nodiscard]] BreakerCause cause() const { return cause_; }
  [[nodiscard]] Instant since() const { return since_; }
  [[nodiscard]] Instant probe_at() const { return probe_at_; }
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }
  /// It closed on answers that were slow: the destination works, but has become slower.
  [[nodiscard]] bool closed_slowly() const { return slow_answers_ > 0; }

  /// The process starts.
  void begin(Instant now) { since_ = now; }
  /// A probe starts. `unit` is uniform in [0, 1).
  void probe(Instant now, double unit);
  /// A try that was begun in epoch `began` ended.
  void ended(Instant now, std::uint32_t began, Ended how);
  /// A probe ended without saying anything.
  void withdrawn(std::uint32_t began);
  /// `overdue` of the tries begun in this epoch are in flight for longer than a slow one takes.
  void waiting(Instant now, std::uint32_t overdue);
  /// Everything allowed is in flight, and nothing has come back for too long.
  void stalled(Instant now);
  /// The destination named a time before which it wants nothing.
  void told(Instant now, Instant until);
  /// What was begun until now says nothing any more; all else stays as it is.
  void renew() { ++epoch_; }
  /// A person says that it is well: probes at once, whatever it had named.
  void hasten(Instant now);

 private:
  enum : std::size_t { tries, faults, slow };
  void judge(Instant now, std::uint32_t overdue);
  void fault(Instant now);
  void open(Instant now, BreakerCause cause);
  void close(Instant now);

  Rule rule_;
  Tally<3> tally_;
  bool open_ = false;
  BreakerCause cause_ = BreakerCause::none;
  std::uint32_t epoch_ = 0, probes_ = 0, slow_answers_ = 0;
  std::uint32_t faults_in_row_ = 0, answers_ = 0;
  bool on_trial_ = false;
  Duration interval_{};
  Instant since_{}, last_answer_ = Instant::min(), probe_at_{}, not_before_{};
};

}  // namespace vesper::relay
