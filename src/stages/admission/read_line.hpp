#pragma once
#include <algorithm>
#include <cstddef>

#include "base/time.hpp"
#include "stages/admission/queue_delay.hpp"

namespace vesper::admission {

/// A connection's place in a ReadLine: bytes of it are there to be read.
///   Why: intrusive, so that entering and leaving allocate nothing.
struct ReadPlace {
  enum class Where : std::uint8_t { nowhere, turn, surplus };
  ReadPlace* before = nullptr;
  ReadPlace* after = nullptr;
  Instant since{};  ///< when it entered
  Where where = Where::nowhere;
};

/// Thresholds of the reading line; a part of what is in force.
struct ReadRules {
  QueueDelay::Rules wait{};
  double refusal_share = 0.3;     ///< of the time for requests, to tell the surplus under overload
  Duration oldest_first = 300ms;  ///< while the oldest of the surplus is younger; then newest first
  std::size_t turns_least = 16;   ///< under overload
  std::size_t turns_in_burst = 64;  ///< else, at least
  bool enabled = true;
  friend bool operator==(const ReadRules&, const ReadRules&) = default;
};

/// In which order, and whether at all, are connections read whose bytes have come?
///   Shape:  enter -> turn | surplus; turn -waited too long-> surplus. Those whose turn it is are
///           read oldest first and served. The surplus is what capacity cannot serve in time: it is
///           read only to be told so, within a share of the time, and else stays unread, where it
///           costs nothing.
///   Units:  the bound on turns is a time: of QueueDelay's limit, over what one admitted request
///           takes, as measured.
///   Bounds: at least `turns_least` turns, `turns_in_burst` while there is no overload.
///   Thread: one owner; never blocks, allocates or throws.
///   Why:    an accepted diary costs about four refusals: past 3.3 times the capacity answering
///           everybody leaves nothing for work.
class ReadLine {
 public:
  enum class As : std::uint8_t { turn, surplus };
  struct Next {
    ReadPlace* place = nullptr;  ///< none: nobody is to be read now
    As as = As::turn;
  };
  /// What reading one connection came to.
  enum class Outcome : std::uint8_t { nothing, admitted, refused };

  explicit ReadLine(const ReadRules& rules) : rules_(rules), delay_(rules.wait) {}
  void set(const ReadRules& rules) {
    rules_ = rules;
    delay_.set(rules.wait);
  }

  void enter(ReadPlace& place, Instant since, Instant now);
  void leave(ReadPlace& place);
  /// Takes the one who is to be read now out of the line.
  [[nodiscard]] Next next(Instant now);
  /// Reading it took so long and came to this.
  void done(As as, Outcome outcome, Duration took);

  [[nodiscard]] bool empty() const { return turns_.count == 0 && surplus_.count == 0; }
  [[nodiscard]] std::size_t turns() const { return turns_.count; }
  [[nodiscard]] std::size_t surplus() const { return surplus_.count; }
  [[nodiscard]] bool overloaded(Instant now) { return delay_.overloaded(now); }
  /// How many may have a turn at once.
  [[nodiscard]] std::size_t turns_max(Instant now);
  /// Time of one admitted request, whatever else the shard does for it included.
  [[nodiscard]] Duration service() const { return std::max(measured_, seen_); }
  /// Whether service() was measured while there was always somebody to serve.
  [[nodiscard]] bool measured() const { return measured_ > Duration::zero(); }

 private:
  struct List {
    ReadPlace* first = nullptr;
    ReadPlace* last = nullptr;
    std::size_t count = 0;
    void push_back(ReadPlace& place);
    void take(ReadPlace& place);
  };
  void credit(Duration took);
  void measure(Instant now);
  void pass_on_the_late(Instant now);
  [[nodiscard]] Next take(ReadPlace& place, As as);
  [[nodiscard]] Next take_surplus(Instant now);

  static constexpr Duration budget_max = 5ms, debt_max = 50ms, window = 20ms;
  static constexpr std::size_t window_admitted_least = 8;

  ReadRules rules_;
  QueueDelay delay_;
  List turns_, surplus_;
  Duration budget_{};        ///< for the surplus
  Duration seen_{};          ///< smoothed time of reading one admitted request
  Duration measured_{};      ///< of all that one admitted request costs; zero: not known
  bool continuous_ = false;  ///< somebody waited since window_began_
  Instant window_began_{};
  Duration window_refusing_{};
  std::size_t window_admitted_ = 0;
};

}  // namespace vesper::admission
