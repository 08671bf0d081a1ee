#include "flows/journal_entry.hpp"

#include "stages/fhir/bundle/bundle.hpp"
#include "stages/journal/delivery_id.hpp"
#include "stages/journal/sha256.hpp"

namespace vesper {

JournalEntry journal_entry(const Diary& diary, const Judgement& judgement, const Trial& trial,
                           const Sending& sending) {
  JournalEntry entry;
  entry.submission_id = sending.submission_id;
  entry.delivery_id = delivery_id(trial.id, diary.subject_id, sending.submission_id);
  entry.trial_id = trial.id;
  entry.trial_revision = trial.revision;
  entry.subject_id = diary.subject_id;
  const StatedForm stated = stated_form(diary);
  entry.form_id = judgement.form ? std::string_view{judgement.form->id} : stated.id;
  entry.form_version = judgement.form ? std::string_view{judgement.form->version} : stated.version;
  entry.media = diary.media;
  entry.source = sending.source;
  entry.content_hash = content_hash(sending.source);
  entry.received_at = sending.received_at;
  entry.authored = diary.authored_text;
  entry.site = sending.caller.site;
  entry.app_version = diary.device.app.reveal();
  entry.caller = &sending.caller;
  entry.disposition = judgement.disposition;
  entry.held_reason = judgement.held_reason;
  entry.amends = diary.amends;
  entry.mapper_version = mapper_version;
  entry.destinations = &trial.destinations;
  return entry;
}

}  // namespace vesper
