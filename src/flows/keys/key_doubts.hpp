#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "stages/access/key_set.hpp"

namespace vesper {

/// What is known about kids that an issuer's set does not have.
///   Shape:  asked -fetch begins-> in question -good fetch without it-> absent -time-> forgotten;
///           a failing fetch forgets what was in question, so it is asked anew.
///   Bounds: 64 kids in each state; what finds no room is answered as pending, never as absent.
///   Thread: one, or under a lock. Pure.
///   Why: a kid is absent only by a fetch that began after a token had named it, and only for a
///   moment: an issuer may publish a key a little after it first signs with it.
class KeyDoubts {
 public:
  explicit KeyDoubts(Duration absent_for) : absent_for_(absent_for) {}

  /// True when the kid is known to be absent; otherwise a fetch is wished for.
  [[nodiscard]] bool absent(std::string_view kid, Instant now);
  [[nodiscard]] bool wanted() const { return wanted_; }
  void want() { wanted_ = true; }

  void fetch_began();
  void fetch_failed() { in_question_.clear(); }
  void fetch_succeeded(const access::KeySet& keys, Instant now);

 private:
  struct Absent {
    std::string kid;
    Instant until;
  };
  static constexpr std::size_t kids_max = 64;
  Duration absent_for_;
  bool wanted_ = false;
  std::vector<std::string> asked_, in_question_;
  std::vector<Absent> absent_;
};

}  // namespace vesper
