#include "flows/bundle_deriver.hpp"

#include "stages/fhir/bundle/bundle.hpp"
#include "stages/fhir/check/score.hpp"
#include "stages/fhir/check/shape.hpp"

namespace vesper {
std::expected<void, BundleFault> BundleDeriver::derive(const StoredDiary& stored,
                                                       std::string& out) {
  const auto snapshot = catalog_.snapshot();
  const Trial* trial = snapshot->find(stored.trial_id);
  const Form* form = trial ? trial->find(stored.form_id, stored.form_version) : nullptr;
  if (form == nullptr || stored.trial_revision > trial->subject_systems.size())
    return std::unexpected{BundleFault::not_yet};
  if (!knows_mapper(stored.mapper_version)) return std::unexpected{BundleFault::not_derivable};

  arena_.reset();
  const auto diary = decoder_.decode(stored.media, stored.source, arena_);
  if (!diary) return std::unexpected{BundleFault::not_derivable};
  Issues issues;
  const std::span<ResponseItem> items =
      diary->is_fhir ? diary->items : shape(*form, *diary, arena_, issues);
  if (!issues.empty()) return std::unexpected{BundleFault::not_derivable};

  out.clear();
  write_bundle(out,
               {.form = form,
                .diary = &*diary,
                .items = items,
                .scores = sum_scores(*form, items, arena_),
                .trial_id = stored.trial_id,
                .subject_system = trial->subject_systems[stored.trial_revision - 1],
                .subject_id = PatientText{stored.subject_id},
                .submission_id = stored.facts.submission_id,
                .delivery_id = stored.facts.delivery_id,
                .received_at = stored.facts.received_at,
                .content_hash = stored.facts.content_hash,
                .flags = stored.facts.flags,
                .author = author_of(stored.caller_scopes),
                .issuer = stored.issuer,
                .caller_subject = PatientText{stored.caller_subject}},
               arena_);
  return {};
}

}  // namespace vesper
