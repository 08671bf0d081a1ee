// Goal: no rule refuses what keeps all rules, and none misses the one rule that is broken.
// Method: random forms and valid responses by seed; then one fault is planted and must be the one
// issue, at its path. Controls: the same search over a form without the rule must miss it.
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "stages/fhir/check/check.hpp"
#include "stages/fhir/check/check_test_generator.hpp"
#include "stages/fhir/check/judge.hpp"

namespace vesper {
namespace {

constexpr std::uint64_t seeds = 400;

struct Expected {
  std::string path;
  IssueCode code;
};

// A place in a response: the sibling list, and one of it.
struct Site {
  std::span<ResponseItem>* siblings;
  std::size_t index;
  std::string above;
  [[nodiscard]] ResponseItem& item() const { return (*siblings)[index]; }
  [[nodiscard]] std::string path() const { return fmt::format("{}.item[{}]", above, index); }
};

void collect(std::span<ResponseItem>& items, const std::string& above, std::vector<Site>& out) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    out.push_back({&items, i, above});
    const std::string path = out.back().path();
    collect(items[i].items, path, out);
    for (std::size_t j = 0; j < items[i].answers.size(); ++j)
      collect(items[i].answers[j].items, fmt::format("{}.answer[{}]", path, j), out);
  }
}

using Plant = std::function<std::optional<Expected>(const Form&, const Site&, Arena&)>;

const FormItem& form_item(const Form& form, const Site& site) {
  return form.items[form.index_of(site.item().link_id.reveal())];
}

// Breaks the first answer of a question that `fits`.
Plant value_fault(std::function<bool(const FormItem&)> fits, std::function<void(Value&)> change,
                  IssueCode code) {
  return [=](const Form& form, const Site& site, Arena&) -> std::optional<Expected> {
    if (site.item().answers.empty() || !fits(form_item(form, site))) return {};
    if (code == IssueCode::required && form.check_plan->conditional) return {};  // disables others
    change(site.item().answers[0].value);
    return Expected{site.path() + ".answer[0].value", code};
  };
}

std::function<bool(const FormItem&)> of_type(ItemType type) {
  return [type](const FormItem& item) { return item.type == type; };
}

std::function<void(Value&)> set(ValueKind kind, std::string_view text) {
  return [=](Value& value) { value = test::value_of(kind, text); };
}

std::optional<Expected> unknown_link_id(const Form&, const Site& site, Arena& arena) {
  const auto more = arena.array<ResponseItem>(site.siblings->size() + 1);
  std::copy(site.siblings->begin(), site.siblings->end(), more.begin());
  more.back().link_id = PatientText{"no-such-item"};
  *site.siblings = more;
  return Expected{fmt::format("{}.item[{}]", site.above, more.size() - 1), IssueCode::not_found};
}

std::optional<Expected> second_answer(const Form& form, const Site& site, Arena& arena) {
  ResponseItem& item = site.item();
  if (item.answers.size() != 1 || form_item(form, site).repeats) return {};
  const auto two = arena.array<ResponseAnswer>(2);
  two[0] = two[1] = item.answers[0];
  item.answers = two;
  return Expected{site.path(), IssueCode::structure};
}

std::optional<Expected> out_of_order(const Form&, const Site& site, Arena& arena) {
  if (site.index == 0) return {};
  const auto swapped = arena.array<ResponseItem>(site.siblings->size());
  std::copy(site.siblings->begin(), site.siblings->end(), swapped.begin());
  if (swapped[site.index].link_id == swapped[site.index - 1].link_id) return {};
  const bool next_same = site.index + 1 < swapped.size() &&
                         swapped[site.index + 1].link_id == swapped[site.index].link_id;
  const bool before_same =
      site.index > 1 && swapped[site.index - 2].link_id == swapped[site.index - 1].link_id;
  if (next_same || before_same) return {};
  std::swap(swapped[site.index], swapped[site.index - 1]);
  *site.siblings = swapped;
  return Expected{site.path(), IssueCode::structure};
}

std::optional<Expected> answer_beside_items(const Form& form, const Site& site, Arena&) {
  if (form_item(form, site).type == ItemType::group) return {};
  site.item().has_item_member = true;
  return Expected{site.path(), IssueCode::structure};
}

std::optional<Expected> group_answered(const Form& form, const Site& site, Arena& arena) {
  if (form_item(form, site).type != ItemType::group || site.item().has_item_member) return {};
  site.item().answers = arena.array<ResponseAnswer>(1);
  return Expected{site.path(), IssueCode::structure};
}

// Removing a required item may disable others, so only forms without conditions take part.
std::optional<Expected> required_left_out(const Form& form, const Site& site, Arena& arena) {
  const auto& siblings = *site.siblings;
  if (!form_item(form, site).required || form.check_plan->conditional) return {};
  for (std::size_t i = 0; i < siblings.size(); ++i)
    if (i != site.index && siblings[i].link_id == site.item().link_id) return {};
  if (siblings.size() == 1) return {};  // its group may need a child: two faults
  const auto fewer = arena.array<ResponseItem>(siblings.size() - 1);
  for (std::size_t i = 0, to = 0; i < siblings.size(); ++i)
    if (i != site.index) fewer[to++] = siblings[i];
  *site.siblings = fewer;
  return Expected{site.above, IssueCode::required};
}

struct Named {
  const char* name;
  Plant plant;
};
const std::vector<Named>& plants() {
  static const std::vector<Named> all = {
      {"unknown linkId", unknown_link_id},
      {"second answer", second_answer},
      {"out of order", out_of_order},
      {"answer beside items", answer_beside_items},
      {"group answered", group_answered},
      {"required left out", required_left_out},
      {"type", value_fault([](const FormItem&) { return true; }, set(ValueKind::raw_number, "1"),
                           IssueCode::value)},
      {"no value", value_fault([](const FormItem& i) { return i.children.empty(); },
                               set(ValueKind::none, ""), IssueCode::required)},
      {"below minimum",
       value_fault(of_type(ItemType::integer), set(ValueKind::integer, "-1"), IssueCode::invalid)},
      {"above maximum",
       value_fault(of_type(ItemType::integer), set(ValueKind::integer, "11"), IssueCode::invalid)},
      {"decimal places", value_fault(of_type(ItemType::decimal), set(ValueKind::decimal, "1.234"),
                                     IssueCode::invalid)},
      {"date grammar",
       value_fault(of_type(ItemType::date), set(ValueKind::date, "2026-02-30"), IssueCode::value)},
      {"time grammar",
       value_fault(of_type(ItemType::time), set(ValueKind::time, "25:00:00"), IssueCode::value)},
      {"too long", value_fault(of_type(ItemType::string), set(ValueKind::string, "123456789"),
                               IssueCode::too_long)},
      {"empty", value_fault(of_type(ItemType::text), set(ValueKind::string, ""), IssueCode::value)},
      {"blank in url",
       value_fault(of_type(ItemType::url), set(ValueKind::uri, "a b"), IssueCode::value)},
      {"no option", value_fault(
                        of_type(ItemType::choice), [](Value& v) { v = test::coding_of("other"); },
                        IssueCode::code_invalid)},
      {"unit", value_fault(
                   of_type(ItemType::quantity), [](Value& v) { v.code = PatientText{"v"}; },
                   IssueCode::code_invalid)}};
  return all;
}

Issues checked(const Form& form, std::span<const ResponseItem> items) {
  Arena arena;
  Issues issues;
  check(form, {items, ResponseStatus::completed, {}, Terms::fhir}, arena, issues);
  return issues;
}

std::string shown(const Issues& issues) {
  std::string text;
  for (const auto& issue : issues)
    text += fmt::format("\n  {} {}: {}", issue.expression, code_of(issue.code), issue.diagnostics);
  return text;
}

bool is_exactly(const Issues& issues, const Expected& expected) {
  return issues.size() == 1 && issues[0].expression == expected.path &&
         issues[0].code == expected.code && issues[0].severity == Severity::error &&
         issues[0].kind == IssueKind::form;
}

TEST(Generated, ValidResponsesAreAccepted) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    test::Generator generator(seed);
    const auto items = generator.response();
    EXPECT_TRUE(checked(generator.form(), items).empty())
        << "seed " << seed << shown(checked(generator.form(), items));
  }
}

TEST(Generated, EachPlantedFaultIsTheOneIssueAtItsPath) {
  for (const auto& [name, plant] : plants()) {
    std::size_t planted = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      test::Generator generator(seed);
      auto items = generator.response();
      std::vector<Site> sites;
      collect(items, "QuestionnaireResponse", sites);
      Arena arena;
      for (std::size_t tries = 0; tries < sites.size(); ++tries) {
        const Site& site = sites[(tries + generator.random().below(sites.size())) % sites.size()];
        const auto expected = plant(generator.form(), site, arena);
        if (!expected) continue;
        ++planted;
        const auto issues = checked(generator.form(), items);
        EXPECT_TRUE(is_exactly(issues, *expected))
            << name << ", seed " << seed << ", expected " << expected->path << shown(issues);
        break;
      }
    }
    EXPECT_GE(planted, 5U) << name << " was planted too rarely to say anything";
  }
}

TEST(Generated, WithoutTheRuleThePlantedFaultIsMissed) {
  std::size_t missed = 0;
  const auto below = plants()[8];
  ASSERT_STREQ(below.name, "below minimum");
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    test::Generator generator(seed);
    auto items = generator.response();
    for (auto& item : generator.form_to_change().items) item.min_value.reset();
    std::vector<Site> sites;
    collect(items, "QuestionnaireResponse", sites);
    Arena arena;
    for (const Site& site : sites) {
      const auto expected = below.plant(generator.form(), site, arena);
      if (!expected) continue;
      missed += is_exactly(checked(generator.form(), items), *expected) ? 0 : 1;
      break;
    }
  }
  EXPECT_GE(missed, 20U);
}

}  // namespace
}  // namespace vesper
