#include "stages/catalog/publication.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "stages/catalog/trial_reader.hpp"

namespace vesper {
namespace {

using FormPointer = std::shared_ptr<const Form>;

bool same_json(const JsonValue& a, const JsonValue& b) {
  if (a.kind != b.kind || a.size != b.size) return false;
  switch (a.kind) {
    case JsonKind::null:
      return true;
    case JsonKind::boolean:
      return a.boolean == b.boolean;
    case JsonKind::number:
    case JsonKind::string:
      return a.text == b.text;
    case JsonKind::array: {
      const JsonValue* y = b.first;
      for (const JsonValue& x : a) {
        if (!same_json(x, *y)) return false;
        y = y->next;
      }
      return true;
    }
    case JsonKind::object:
      for (const JsonValue& x : a) {
        const JsonValue* y = b.find(x.name);
        if (y == nullptr || !same_json(x, *y)) return false;
      }
      return true;
  }
  std::unreachable();
}

bool same_questionnaire(const std::string& a, const std::string& b) {
  if (a == b) return true;
  Arena arena;
  const auto left = parse_json(a, arena), right = parse_json(b, arena);
  return left && right && same_json(**left, **right);
}

bool same_band(const ScoreBand& a, const ScoreBand& b) {
  return a.low == b.low && a.high == b.high && a.meaning == b.meaning;
}

bool same_score(const Score& a, const Score& b) {
  return a.id == b.id && a.code == b.code && a.items == b.items && a.unit == b.unit &&
         std::ranges::equal(a.bands, b.bands, same_band);
}

bool same_window(const Window& a, const Window& b) {
  return a.opens == b.opens && a.closes == b.closes && a.grace_minutes == b.grace_minutes;
}

// All that an entry of `forms` says: a published version never changes.
bool same_form(const Form& a, const Form& b) {
  return a.url == b.url && a.by_field == b.by_field && a.on_invalid == b.on_invalid &&
         std::ranges::equal(a.windows, b.windows, same_window) &&
         std::ranges::equal(a.scores, b.scores, same_score) &&
         same_questionnaire(a.questionnaire, b.questionnaire);
}

/// Brings a draft's forms together with those that were published before.
class FormHistory {
 public:
  FormHistory(const Trial* previous, const PublicationRules& rules)
      : previous_(previous), rules_(rules) {}

  void add(std::vector<Form>&& drafts, Trial& trial) {
    for (std::size_t i = 0; i < drafts.size(); ++i) trial.forms.push_back(settle(drafts[i], i));
    trial.forms_in_force = trial.forms.size();
    if (previous_ == nullptr) return;
    for (const FormPointer& old : previous_->forms)
      if (trial.find(old->id, old->version) == nullptr) {
        if (trial.find_canonical(old->url, old->version) != nullptr)
          conflict("forms", fmt::format("{}|{} was published as form '{}'.", old->url, old->version,
                                        old->id));
        trial.forms.push_back(old);
      }
  }
  [[nodiscard]] Issues take_conflicts() { return std::move(conflicts_); }

 private:
  FormPointer settle(Form& draft, std::size_t index) {
    FormPointer old = find_published(draft);
    if (old == nullptr) {
      if (rules_.prepare) rules_.prepare(draft);
      return std::make_shared<const Form>(std::move(draft));
    }
    if (!same_form(*old, draft))
      conflict(fmt::format("forms[{}]", index),
               fmt::format("Form '{}' version '{}' is published and cannot change: give the new "
                           "content a new version.",
                           draft.id, draft.version));
    return old;
  }

  [[nodiscard]] FormPointer find_published(const Form& draft) const {
    if (previous_ == nullptr) return nullptr;
    for (const FormPointer& form : previous_->forms)
      if (form->id == draft.id && form->version == draft.version) return form;
    return nullptr;
  }

  void conflict(std::string path, std::string text) {
    conflicts_.push_back({Severity::error, IssueCode::conflict, IssueKind::conflict,
                          std::move(text), std::move(path)});
  }

  const Trial* previous_;
  const PublicationRules& rules_;
  Issues conflicts_;
};

void finish(const Trial* previous, std::string_view document, std::uint64_t revision,
            Trial& trial) {
  trial.document = document;
  trial.revision = revision;
  trial.etag = etag_of(document, revision);
  if (previous != nullptr) trial.subject_systems = previous->subject_systems;
  trial.subject_systems.resize(revision);
  trial.subject_systems.back() = trial.subject_system;
}

void check_against_server(const Trial& trial, const PublicationRules& rules, Issues& issues) {
  const auto error = [&](IssueCode code, std::string path, std::string text) {
    issues.push_back({Severity::error, code, IssueKind::form, std::move(text), std::move(path)});
  };
  if (!rules.trial_id.empty() && trial.id != rules.trial_id)
    error(IssueCode::value, "id", "The document's id is not the one in the address.");
  if (rules.destinations == nullptr) return;
  for (std::size_t i = 0; i < trial.destinations.size(); ++i)
    if (std::ranges::find(*rules.destinations, trial.destinations[i]) == rules.destinations->end())
      error(IssueCode::not_found, fmt::format("destinations[{}]", i),
            fmt::format("'{}' is no destination of this server: [upstream.{}] is not configured.",
                        trial.destinations[i], trial.destinations[i]));
}

Issues not_json(std::string_view document, const JsonFault& fault) {
  const TextPosition at = position_of(document, fault.offset);
  return {{Severity::error,
           IssueCode::structure,
           IssueKind::none,
           fmt::format("Not JSON: {} at line {}, column {} (byte {}).", fault.reason, at.line,
                       at.column, fault.offset),
           {}}};
}

}  // namespace

Publication judge_publication(const Trial* previous, std::string_view document,
                              const PublicationRules& rules) {
  Arena arena;
  const auto root = parse_json(document, arena);
  if (!root) return {Publication::Verdict::malformed, nullptr, not_json(document, root.error())};
  TrialDraft draft = read_trial(**root);
  check_against_server(draft.trial, rules, draft.issues);
  if (std::ranges::any_of(draft.issues, is_fault))
    return {Publication::Verdict::invalid, nullptr, std::move(draft.issues)};
  FormHistory history{previous, rules};
  history.add(std::move(draft.forms), draft.trial);
  if (Issues conflicts = history.take_conflicts(); !conflicts.empty())
    return {Publication::Verdict::conflict, nullptr, std::move(conflicts)};
  finish(previous, document, previous == nullptr ? 1 : previous->revision + 1, draft.trial);
  return {Publication::Verdict::accepted, std::make_shared<const Trial>(std::move(draft.trial)),
          std::move(draft.issues)};
}

std::shared_ptr<const Trial> restore_trial(const Trial* previous, const TrialRow& row,
                                           const PublicationRules& rules, Issues& issues) {
  Arena arena;
  const auto root = parse_json(row.document, arena);
  if (!root || !(*root)->is(JsonKind::object)) {
    issues = root ? Issues{{Severity::error,
                            IssueCode::structure,
                            IssueKind::none,
                            "The stored trial document is no object.",
                            {}}}
                  : not_json(row.document, root.error());
    return nullptr;
  }
  TrialDraft draft = read_trial(**root);
  issues = std::move(draft.issues);
  FormHistory history{previous, rules};
  history.add(std::move(draft.forms), draft.trial);
  for (Issue& conflict : history.take_conflicts()) issues.push_back(std::move(conflict));
  draft.trial.id = row.trial_id;
  finish(previous, row.document, row.revision, draft.trial);
  return std::make_shared<const Trial>(std::move(draft.trial));
}

std::string etag_of(std::string_view document, std::uint64_t revision) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : document) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("\"{}-{:016x}\"", revision, hash);
}

std::shared_ptr<const TrialSnapshot> make_snapshot(const TrialSnapshot* previous,
                                                   std::shared_ptr<const Trial> trial) {
  auto next = previous == nullptr ? std::make_shared<TrialSnapshot>()
                                  : std::make_shared<TrialSnapshot>(*previous);
  ++next->generation;
  std::string id = trial->id;
  next->trials.insert_or_assign(std::move(id), std::move(trial));
  return next;
}

std::shared_ptr<const TrialSnapshot> make_snapshot(
    std::vector<std::shared_ptr<const Trial>> trials) {
  auto snapshot = std::make_shared<TrialSnapshot>();
  snapshot->generation = 1;
  snapshot->trials.reserve(trials.size());
  for (auto& trial : trials) {
    std::string id = trial->id;
    snapshot->trials.insert_or_assign(std::move(id), std::move(trial));
  }
  return snapshot;
}

}  // namespace vesper
