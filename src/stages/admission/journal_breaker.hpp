#pragma once
#include "base/time.hpp"

namespace vesper::admission {

/// Keeps diaries from queueing for a journal that does not commit.
///   Shape:  closed -a commit has been going on for `stall`-> open -another commit has come back
///           within `stall`, `heal` long-> closed. The commit under way is the probe: nothing needs
///           to be sent to find out.
///   Thread: one owner.
class JournalBreaker {
 public:
  struct Rules {
    Duration stall = 1s, heal = 200ms;
  };
  JournalBreaker() : JournalBreaker(Rules{}) {}
  explicit JournalBreaker(const Rules& rules) : rules_(rules) {}

  /// `group_age`: how long the commit under way has taken so far; zero: none is.
  bool observe(Duration group_age, Instant now) {
    if (group_age >= rules_.stall) {
      open_ = true;
      stalled_ = now;
    } else if (now - stalled_ >= rules_.heal) {
      open_ = false;
    }
    return open_;
  }
  [[nodiscard]] bool open() const { return open_; }

 private:
  Rules rules_;
  bool open_ = false;
  Instant stalled_{};
};

}  // namespace vesper::admission
