#include "stages/access/policy.hpp"

#include <algorithm>
#include <utility>

namespace vesper::access {
namespace {

Decision within(Reach reach, const Caller& caller, const Target& target) {
  if (reach == Reach::everywhere) return Decision::allowed;
  if (target.trial.empty() || !caller.may_touch(target.trial)) return Decision::other_trial;
  switch (reach) {
    case Reach::own_subject:
      return !caller.subject.empty() && target.subject == PatientText{caller.subject}
                 ? Decision::allowed
                 : Decision::other_subject;
    case Reach::same_site:
      return !caller.site.empty() && target.site == caller.site ? Decision::allowed
                                                                : Decision::other_site;
    case Reach::whole_trial:
    case Reach::everywhere:
      return Decision::allowed;
  }
  std::unreachable();
}

}  // namespace

bool may_ever(Action action, const Caller& caller) {
  return std::ranges::any_of(policy, [&](const Rule& rule) {
    return rule.action == action && caller.scopes.has(rule.scope);
  });
}

Decision decide(Action action, const Caller& caller, const Target& target,
                std::span<const Rule> rules) {
  Decision best = Decision::no_scope;
  for (const Rule& rule : rules)
    if (rule.action == action && caller.scopes.has(rule.scope))
      best = std::max(best, within(rule.reach, caller, target));
  return best;
}

std::string_view text_of(Decision decision) {
  switch (decision) {
    case Decision::no_scope:
      return "the token's scope does not permit this";
    case Decision::other_trial:
      return "the token is not for this trial";
    case Decision::other_subject:
      return "the token is not for this subject";
    case Decision::other_site:
      return "the token is not for this site";
    case Decision::allowed:
      return "permitted";
  }
  std::unreachable();
}

}  // namespace vesper::access
