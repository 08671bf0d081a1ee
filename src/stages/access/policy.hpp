#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/caller.hpp"
#include "model/patient_text.hpp"

namespace vesper::access {

/// What a request wants to do; each route of the contract is one of them.
enum class Action : std::uint8_t {
  submit_diary,   ///< POST /patient/data
  read_diary,     ///< GET /patient/data/{submissionId}
  read_trial,     ///< GET /trials/{trialId}
  publish_trial,  ///< PUT /trials/{trialId}
  operate         ///< admin routes that change something
};

/// Whose diaries a scope reaches.
enum class Reach : std::uint8_t {
  own_subject,  ///< the subject is the caller's
  same_site,    ///< the diary was stored with the caller's site; a caller without one reaches none
  whole_trial,  ///< any of a trial that the token names
  everywhere    ///< no trial is involved
};

struct Rule {
  Action action;
  Scope scope;
  Reach reach;
};

/// Who may do what. Anything that no row allows is refused.
inline constexpr std::array<Rule, 13> policy{{
    {Action::submit_diary, Scope::patient, Reach::own_subject},
    {Action::submit_diary, Scope::site, Reach::whole_trial},
    {Action::submit_diary, Scope::service, Reach::whole_trial},
    {Action::read_diary, Scope::patient, Reach::own_subject},
    {Action::read_diary, Scope::site, Reach::same_site},
    {Action::read_diary, Scope::service, Reach::whole_trial},
    {Action::read_trial, Scope::patient, Reach::whole_trial},
    {Action::read_trial, Scope::site, Reach::whole_trial},
    {Action::read_trial, Scope::service, Reach::whole_trial},
    {Action::read_trial, Scope::trial_admin, Reach::whole_trial},
    {Action::read_trial, Scope::ops, Reach::whole_trial},
    {Action::publish_trial, Scope::trial_admin, Reach::whole_trial},
    {Action::operate, Scope::ops, Reach::everywhere},
}};

/// What is touched. For a diary: as it is sent, or as it was stored.
struct Target {
  std::string_view trial;
  PatientText subject;
  std::string_view site;
};

/// The answer, and how near a refusal came: later enumerators got further.
enum class Decision : std::uint8_t { no_scope, other_trial, other_subject, other_site, allowed };

/// Whether the caller holds any scope for an action: all that can be told before the body is read.
[[nodiscard]] bool may_ever(Action action, const Caller& caller);

/// Walks the policy; the first row that allows is enough.
[[nodiscard]] Decision decide(Action action, const Caller& caller, const Target& target,
                              std::span<const Rule> rules = policy);

/// The OperationOutcome's words for a refusal; names no subject, site or trial.
[[nodiscard]] std::string_view text_of(Decision decision);

}  // namespace vesper::access
