#include <algorithm>
#include <expected>

#include "app/commands.hpp"
#include "app/input_file.hpp"
#include "app/trial_file.hpp"
#include "base/wall_time.hpp"
#include "flows/bundle_deriver.hpp"
#include "flows/journal_entry.hpp"
#include "flows/judgement.hpp"
#include "flows/submission.hpp"
#include "stages/catalog/publication.hpp"
#include "stages/decode/decoder.hpp"

namespace vesper {
namespace {

class OneTrial final : public Catalog {
 public:
  explicit OneTrial(std::shared_ptr<const Trial> trial)
      : snapshot_(make_snapshot(nullptr, std::move(trial))) {}
  const std::shared_ptr<const TrialSnapshot>& snapshot() const override { return snapshot_; }

 private:
  std::shared_ptr<const TrialSnapshot> snapshot_;
};

// The journal would keep the same facts: what reads them back must find no difference.
StoredDiary stored_diary(const JournalEntry& entry) {
  StoredDiary stored;
  stored.trial_id = entry.trial_id;
  stored.trial_revision = entry.trial_revision;
  stored.subject_id = entry.subject_id.reveal();
  stored.form_id = entry.form_id;
  stored.form_version = entry.form_version;
  stored.source = entry.source;
  stored.media = entry.media;
  stored.caller_subject = entry.caller->subject;
  stored.caller_scopes = entry.caller->scopes;
  stored.mapper_version = entry.mapper_version;
  stored.facts.submission_id = entry.submission_id;
  stored.facts.delivery_id = entry.delivery_id;
  stored.facts.received_at = entry.received_at;
  stored.facts.content_hash = entry.content_hash;
  stored.facts.flags = entry.flags;
  return stored;
}

std::string_view words_for(HeldReason reason) {
  switch (reason) {
    case HeldReason::form_unknown:
      return "The trial has no such form version: the diary would be held.";
    case HeldReason::trial_closed:
      return "The trial is closed: the diary would be held.";
    case HeldReason::form_invalid:
      return "The form's rules are broken and its onInvalid is hold: the diary would be held.";
    case HeldReason::none:
      break;
  }
  return "The diary would be held.";
}

struct Conversion {
  std::string source;
  SubmissionHead head;
  std::optional<WallTime> received_at;
};

std::expected<std::string, Issues> convert(const Conversion& given,
                                           const std::shared_ptr<const Trial>& trial) {
  Arena arena;
  const auto diary = Decoder{}.decode(given.head.media, given.source, arena);
  if (!diary) return std::unexpected(diary.error().issues);
  const auto submission_id = submission_id_of(given.head, *diary);
  if (!submission_id) return std::unexpected(submission_id.error().issues);
  if (!diary->trial_id.empty() && diary->trial_id.reveal() != trial->id)
    return std::unexpected(
        Issues{{.code = IssueCode::value,
                .diagnostics = "The diary is of another trial than this document's.",
                .expression = "trialId"}});
  const auto judged = judge(*diary, *trial, arena);
  if (!judged) return std::unexpected(judged.error().issues);
  if (judged->disposition == Disposition::held)
    return std::unexpected(Issues{{.code = IssueCode::processing,
                                   .diagnostics = std::string(words_for(judged->held_reason)),
                                   .expression = {}}});
  Caller patient;
  patient.subject = diary->subject_id.reveal();
  patient.scopes.add(Scope::patient);
  const auto entry = journal_entry(
      *diary, *judged, *trial,
      {*submission_id, given.source, given.received_at.value_or(diary->authored.utc), patient});
  const OneTrial catalog{trial};
  std::string bundle;
  if (!BundleDeriver{catalog}.derive(stored_diary(entry), bundle))
    return std::unexpected(Issues{{.code = IssueCode::exception,
                                   .diagnostics = "No bundle can be derived of this diary.",
                                   .expression = {}}});
  return bundle;
}

std::expected<Conversion, std::string> read_given(const Invocation& invocation) {
  Conversion given;
  const std::string type = *invocation.text("type");
  const Header header{"content-type", type};
  RequestHead head;
  head.headers = {&header, 1};
  const auto media = media_type_of(head);
  if (!media)
    return std::unexpected("--type = \"" + type + "\": " + media.error().issues[0].diagnostics);
  given.head.media = *media;
  if (const auto id = invocation.text("submission-id"))
    given.head.idempotency_key = parse_uuid(*id);
  if (const auto at = invocation.text("received-at")) given.received_at = parse_date_time(*at)->utc;
  auto source = read_input(invocation.arguments[0]);
  if (!source) return std::unexpected(source.error());
  given.source = *std::move(source);
  return given;
}

}  // namespace

ExitStatus command_convert(Invocation& invocation) {
  const auto document = read_input(*invocation.text("trial"));
  const auto given = read_given(invocation);
  if (!document || !given) {
    invocation.err << "vesper convert: " << (document ? given.error() : document.error()) << "\n";
    return ExitStatus::usage;
  }
  const TrialFile trial = read_trial_file(*document);
  if (trial.trial == nullptr) {
    invocation.err << "vesper convert: the trial document is refused\n";
    invocation.out << to_operation_outcome(trial.issues) << "\n";
    return ExitStatus::answer_is_no;
  }
  const auto bundle = convert(*given, trial.trial);
  invocation.out << (bundle ? *bundle : to_operation_outcome(bundle.error())) << "\n";
  return bundle ? ExitStatus::done : ExitStatus::answer_is_no;
}

}  // namespace vesper
