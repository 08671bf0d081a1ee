#include "stages/access/policy.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

// Goal: nobody reaches what is not theirs. Method: every action x set of scopes x trial x owner is
// asked, and compared with sentences of the contract written down here a second time, as code that
// shares nothing with the table.
namespace vesper::access {
namespace {

constexpr Action actions[]{Action::submit_diary, Action::read_diary, Action::read_trial,
                           Action::publish_trial, Action::operate};

struct Cell {
  Action action;
  Scopes scopes;
  bool own_trial, own_subject;
  std::string caller_site, diary_site;
};

// The contract's route table, read anew.
bool contract_allows(const Cell& cell) {
  const auto has = [&](Scope s) { return cell.scopes.has(s); };
  if (cell.action == Action::operate) return has(Scope::ops);
  if (!cell.own_trial) return false;
  switch (cell.action) {
    case Action::submit_diary:  // patient (own), site or service (on behalf of a subject of theirs)
      return has(Scope::site) || has(Scope::service) || (has(Scope::patient) && cell.own_subject);
    case Action::read_diary:  // patient (own), site (of that site), service
      if (has(Scope::service)) return true;
      if (has(Scope::patient) && cell.own_subject) return true;
      return has(Scope::site) && cell.caller_site != "" && cell.caller_site == cell.diary_site;
    case Action::read_trial:  // any caller of the trial
      return cell.scopes.bits != 0;
    case Action::publish_trial:
      return has(Scope::trial_admin);
    case Action::operate:
      break;
  }
  return false;
}

Caller caller_of(const Cell& cell) {
  Caller caller;
  caller.subject = "S-1";
  caller.site = cell.caller_site;
  caller.trials = {"A", "B"};
  caller.scopes = cell.scopes;
  return caller;
}

template <class Each>
void every_cell(Each each) {
  for (Action action : actions)
    for (std::uint8_t bits = 0; bits < 32; ++bits)
      for (bool own_trial : {true, false})
        for (bool own_subject : {true, false})
          for (const char* caller_site : {"", "site-1"})
            for (const char* diary_site : {"", "site-1", "site-2"})
              each(Cell{action, {bits}, own_trial, own_subject, caller_site, diary_site});
}

TEST(Policy, AgreesWithTheContractInEveryCell) {
  int cells = 0, allowed = 0;
  every_cell([&](const Cell& cell) {
    const Caller caller = caller_of(cell);
    const Target target{cell.own_trial ? "B" : "C", PatientText{cell.own_subject ? "S-1" : "S-2"},
                        cell.diary_site};
    const bool granted = decide(cell.action, caller, target) == Decision::allowed;
    EXPECT_EQ(granted, contract_allows(cell))
        << "action " << int(cell.action) << " scopes " << int(cell.scopes.bits) << " own trial "
        << cell.own_trial << " own subject " << cell.own_subject << " caller's site '"
        << cell.caller_site << "' diary's '" << cell.diary_site << "'";
    if (granted) EXPECT_TRUE(may_ever(cell.action, caller));
    ++cells;
    allowed += granted ? 1 : 0;
  });
  EXPECT_EQ(cells, 5 * 32 * 2 * 2 * 2 * 3);
  EXPECT_GT(allowed, 0);
}

// Negative control: a table with any one breach must differ from the contract somewhere.
TEST(Policy, EveryPlantedBreachIsFound) {
  const auto differs = [](std::span<const Rule> rules) {
    bool found = false;
    every_cell([&](const Cell& cell) {
      const Target target{cell.own_trial ? "B" : "C", PatientText{cell.own_subject ? "S-1" : "S-2"},
                          cell.diary_site};
      const auto decision = decide(cell.action, caller_of(cell), target, rules);
      found |= (decision == Decision::allowed) != contract_allows(cell);
    });
    return found;
  };
  EXPECT_FALSE(differs(policy));
  int breaches = 0;
  for (std::size_t i = 0; i < policy.size(); ++i) {
    for (Reach reach :
         {Reach::own_subject, Reach::same_site, Reach::whole_trial, Reach::everywhere}) {
      auto breached = policy;
      if (breached[i].reach == reach) continue;
      breached[i].reach = reach;
      EXPECT_TRUE(differs(breached)) << "row " << i << " reach " << int(reach);
      ++breaches;
    }
    EXPECT_TRUE(differs(std::span{policy}.first(i))) << "rows after " << i << " left out";
  }
  EXPECT_EQ(breaches, 13 * 3);
}

TEST(Policy, EachScopeAloneHasTheRoutesOfTheContract) {
  const std::set<std::tuple<Action, Scope>> expected{
      {Action::submit_diary, Scope::patient}, {Action::submit_diary, Scope::site},
      {Action::submit_diary, Scope::service}, {Action::read_diary, Scope::patient},
      {Action::read_diary, Scope::site},      {Action::read_diary, Scope::service},
      {Action::read_trial, Scope::patient},   {Action::read_trial, Scope::site},
      {Action::read_trial, Scope::service},   {Action::read_trial, Scope::trial_admin},
      {Action::read_trial, Scope::ops},       {Action::publish_trial, Scope::trial_admin},
      {Action::operate, Scope::ops}};
  std::set<std::tuple<Action, Scope>> found;
  for (Action action : actions)
    for (Scope scope : {Scope::none, Scope::patient, Scope::site, Scope::service,
                        Scope::trial_admin, Scope::ops}) {
      Caller caller;
      caller.scopes.add(scope);
      if (may_ever(action, caller)) found.insert({action, scope});
    }
  EXPECT_EQ(found, expected);
}

TEST(Policy, TellsHowFarARefusalCame) {
  Caller caller = caller_of({Action::read_diary, {}, true, true, "site-1", ""});
  const Target own{"A", PatientText{"S-1"}, "site-1"};
  EXPECT_EQ(decide(Action::read_diary, caller, own), Decision::no_scope);
  caller.scopes.add(Scope::patient);
  EXPECT_EQ(decide(Action::read_diary, caller, {"C", own.subject, {}}), Decision::other_trial);
  EXPECT_EQ(decide(Action::read_diary, caller, {"A", PatientText{"S-2"}, {}}),
            Decision::other_subject);
  caller.scopes.add(Scope::site);
  EXPECT_EQ(decide(Action::read_diary, caller, {"A", PatientText{"S-2"}, "site-2"}),
            Decision::other_site);
  EXPECT_EQ(decide(Action::read_diary, caller, {"A", PatientText{"S-2"}, "site-1"}),
            Decision::allowed);
}

TEST(Policy, NothingEmptyMatchesAnything) {
  Caller caller;
  caller.scopes = {31};
  caller.trials = {""};
  EXPECT_EQ(decide(Action::submit_diary, caller, {}), Decision::other_trial);
  caller.trials = {"A"};
  caller.scopes = {1};
  EXPECT_EQ(decide(Action::submit_diary, caller, {"A", PatientText{}, {}}),
            Decision::other_subject);
}

}  // namespace
}  // namespace vesper::access
