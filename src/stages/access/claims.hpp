#pragma once
#include <expected>
#include <optional>
#include <string_view>

#include "base/json.hpp"
#include "base/time.hpp"
#include "model/caller.hpp"
#include "stages/access/access_fault.hpp"
#include "stages/access/key_ring.hpp"

namespace vesper::access {

inline constexpr auto leeway = std::chrono::seconds{60};

/// The claims of a token that this server reads; nullptr where absent.
///   Shape: views into the parsed payload.
struct Claims {
  const JsonValue *issuer = nullptr, *subject = nullptr, *audience = nullptr, *expires = nullptr,
                  *not_before = nullptr, *issued = nullptr, *trial = nullptr, *scope = nullptr,
                  *site = nullptr, *token_id = nullptr, *context = nullptr, *methods = nullptr,
                  *patient = nullptr;  ///< what the issuer's table names instead of sub
};

/// Sorts the members of a payload; `payload` is an object. `patient` is left to judge_claims().
[[nodiscard]] Claims collect_claims(const JsonValue& payload);

/// When a token is good, leeway included.
struct Validity {
  WallTime from, until;  ///< from <= now < until
  [[nodiscard]] constexpr bool holds(WallTime now) const { return from <= now && now < until; }
};

/// A moment written as a JSON number of seconds, perhaps with a fraction; milliseconds are kept.
///   Bounds: years 1970 to 9999; nothing otherwise.
[[nodiscard]] std::optional<WallTime> numeric_date(const JsonValue& value);

/// Judges exp, nbf and iat.
[[nodiscard]] std::expected<Validity, AccessFault> judge_times(const Claims& claims, WallTime now);

/// Judges aud, sub, trial, scope, site and the evidence, and fills `caller` with all of them.
///   Scopes are those the token names and the issuer may grant; unknown words are passed over.
[[nodiscard]] std::expected<void, AccessFault> judge_claims(const JsonValue& payload, Claims claims,
                                                            const IssuerRules& rules,
                                                            Caller& caller);

/// The scopes of a space-separated list; words that name none are passed over.
[[nodiscard]] Scopes parse_scopes(std::string_view list);
[[nodiscard]] std::optional<Scope> scope_named(std::string_view name);

}  // namespace vesper::access
