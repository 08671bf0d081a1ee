#include "stages/access/claims.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "stages/access/plain_text.hpp"

namespace vesper::access {
namespace {

constexpr double seconds_max = 253402300799.0;  // the last second of 9999
constexpr std::size_t trials_max = 256;

using Judged = std::expected<void, AccessFault>;

bool is_name(const JsonValue& value) {
  return value.is(JsonKind::string) && is_plain_text(value.text);
}

// A claim that is one name or a list of names; each is handed to `take`.
template <class Take>
bool each_name(const JsonValue& value, Take take) {
  if (value.is(JsonKind::string)) {
    if (!is_plain_text(value.text)) return false;
    take(value.text);
    return true;
  }
  if (!value.is(JsonKind::array)) return false;
  for (const JsonValue& element : value) {
    if (!is_name(element)) return false;
    take(element.text);
  }
  return true;
}

Judged judge_audience(const JsonValue* audience, std::string_view wanted) {
  if (audience == nullptr) return std::unexpected(AccessFault::claim_missing);
  bool meant = false;
  if (!each_name(*audience, [&](std::string_view name) { meant |= name == wanted; }))
    return std::unexpected(AccessFault::claim_invalid);
  if (!meant) return std::unexpected(AccessFault::wrong_audience);
  return {};
}

Judged judge_trials(const JsonValue* trial, std::vector<std::string>& trials) {
  if (trial == nullptr) return {};
  if (trial->size > trials_max) return std::unexpected(AccessFault::claim_invalid);
  trials.reserve(trial->is(JsonKind::array) ? trial->size : 1);
  if (!each_name(*trial, [&](std::string_view name) { trials.emplace_back(name); }))
    return std::unexpected(AccessFault::claim_invalid);
  std::ranges::sort(trials);
  trials.erase(std::unique(trials.begin(), trials.end()), trials.end());
  return {};
}

Judged keep_name(const JsonValue* claim, std::string& out) {
  if (claim == nullptr) return {};
  if (!is_name(*claim)) return std::unexpected(AccessFault::claim_invalid);
  out = claim->text;
  return {};
}

Judged judge_subject(const Claims& claims, Caller& caller) {
  if (claims.subject == nullptr) return std::unexpected(AccessFault::claim_missing);
  if (!is_name(*claims.subject)) return std::unexpected(AccessFault::claim_invalid);
  if (!caller.scopes.has(Scope::patient)) return keep_name(claims.subject, caller.subject);
  if (claims.patient == nullptr) return std::unexpected(AccessFault::claim_missing);
  return keep_name(claims.patient, caller.subject);
}

Judged keep_evidence(const Claims& claims, Caller& caller) {
  if (auto kept = keep_name(claims.token_id, caller.jti); !kept) return kept;
  if (auto kept = keep_name(claims.context, caller.acr); !kept) return kept;
  if (claims.methods == nullptr) return {};
  const bool named = each_name(*claims.methods, [&](std::string_view method) {
    if (!caller.amr.empty()) caller.amr += ' ';
    caller.amr += method;
  });
  if (!named || caller.amr.size() > plain_text_bytes_max)
    return std::unexpected(AccessFault::claim_invalid);
  return {};
}

}  // namespace

std::optional<Scope> scope_named(std::string_view name) {
  if (name == "patient") return Scope::patient;
  if (name == "site") return Scope::site;
  if (name == "service") return Scope::service;
  if (name == "trial-admin") return Scope::trial_admin;
  if (name == "ops") return Scope::ops;
  return std::nullopt;
}

Scopes parse_scopes(std::string_view list) {
  Scopes scopes;
  while (!list.empty()) {
    const auto end = std::min(list.find(' '), list.size());
    if (const auto scope = scope_named(list.substr(0, end))) scopes.add(*scope);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return scopes;
}

Claims collect_claims(const JsonValue& payload) {
  constexpr std::pair<std::string_view, const JsonValue * Claims::*> short_names[]{
      {"iss", &Claims::issuer},   {"sub", &Claims::subject}, {"aud", &Claims::audience},
      {"exp", &Claims::expires},  {"iat", &Claims::issued},  {"nbf", &Claims::not_before},
      {"jti", &Claims::token_id}, {"acr", &Claims::context}, {"amr", &Claims::methods}};
  constexpr std::pair<std::string_view, const JsonValue * Claims::*> long_names[]{
      {"trial", &Claims::trial}, {"scope", &Claims::scope}, {"site", &Claims::site}};
  Claims claims;
  const auto sort_in = [&](const JsonValue& member, const auto& names) {
    for (const auto& [name, slot] : names)
      if (member.name == name) {
        claims.*slot = &member;
        return;
      }
  };
  for (const JsonValue& member : payload) {
    if (member.name.size() == 3)
      sort_in(member, short_names);
    else
      sort_in(member, long_names);
  }
  return claims;
}

std::optional<WallTime> numeric_date(const JsonValue& value) {
  if (!value.is(JsonKind::number)) return std::nullopt;
  const char* end = value.text.data() + value.text.size();
  if (std::int64_t whole = 0; value.text.size() <= 12) {
    const auto digits = std::from_chars(value.text.data(), end, whole);
    if (digits.ec == std::errc{} && digits.ptr == end) {
      if (whole < 0 || whole > static_cast<std::int64_t>(seconds_max)) return std::nullopt;
      return WallTime{std::chrono::seconds{whole}};
    }
  }
  double seconds = 0;
  const auto parsed = std::from_chars(value.text.data(), end, seconds);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  if (!(seconds >= 0 && seconds <= seconds_max)) return std::nullopt;
  const auto ms = static_cast<std::int64_t>(std::floor(seconds * 1000));
  return WallTime{std::chrono::milliseconds{ms}};
}

std::expected<Validity, AccessFault> judge_times(const Claims& claims, WallTime now) {
  if (claims.expires == nullptr) return std::unexpected(AccessFault::claim_missing);
  const auto expires = numeric_date(*claims.expires);
  if (!expires) return std::unexpected(AccessFault::claim_invalid);
  Validity validity{WallTime::min(), *expires + leeway};
  for (const JsonValue* start : {claims.not_before, claims.issued}) {
    if (start == nullptr) continue;
    const auto at = numeric_date(*start);
    if (!at) return std::unexpected(AccessFault::claim_invalid);
    validity.from = std::max(validity.from, *at - leeway);
  }
  if (now >= validity.until) return std::unexpected(AccessFault::expired);
  if (now < validity.from) return std::unexpected(AccessFault::not_yet);
  return validity;
}

Judged judge_claims(const JsonValue& payload, Claims claims, const IssuerRules& rules,
                    Caller& caller) {
  if (auto meant = judge_audience(claims.audience, rules.audience); !meant) return meant;
  if (claims.scope != nullptr) {
    if (!claims.scope->is(JsonKind::string)) return std::unexpected(AccessFault::claim_invalid);
    caller.scopes = parse_scopes(claims.scope->text);
    caller.scopes.bits &= rules.grantable.bits;
  }
  claims.patient =
      rules.subject_claim == "sub" ? claims.subject : payload.find(rules.subject_claim);
  if (auto judged = judge_subject(claims, caller); !judged) return judged;
  if (auto judged = judge_trials(claims.trial, caller.trials); !judged) return judged;
  if (auto kept = keep_name(claims.site, caller.site); !kept) return kept;
  return keep_evidence(claims, caller);
}

}  // namespace vesper::access
