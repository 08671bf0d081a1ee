#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace vesper {

/// What a token may grant; a set of bits. Names as in the `scope` claim.
enum class Scope : std::uint8_t {
  none = 0,
  patient = 1,
  site = 2,
  service = 4,
  trial_admin = 8,
  ops = 16
};

struct Scopes {
  std::uint8_t bits = 0;
  [[nodiscard]] constexpr bool has(Scope s) const {
    return (bits & static_cast<std::uint8_t>(s)) != 0;
  }
  constexpr void add(Scope s) { bits |= static_cast<std::uint8_t>(s); }
  [[nodiscard]] constexpr bool any_of(Scopes other) const { return (bits & other.bits) != 0; }
  friend constexpr bool operator==(Scopes, Scopes) = default;
};

/// Who sends: the verified claims of one token. Made only by stages/access.
///   Shape: immutable, shared by all requests that carry the same token.
struct Caller {
  std::string issuer, kid, algorithm, jti, acr, amr;  ///< evidence, kept with each diary
  std::string subject;              ///< patient: her subjectId; others: who acts. Patient content.
  std::string site;                 ///< empty: none
  std::vector<std::string> trials;  ///< sorted; the trials this token may touch
  Scopes scopes;
  WallTime expires_at;

  [[nodiscard]] bool may_touch(std::string_view trial) const {
    return std::ranges::binary_search(trials, trial, {},
                                      [](const std::string& s) { return std::string_view{s}; });
  }
};

}  // namespace vesper
