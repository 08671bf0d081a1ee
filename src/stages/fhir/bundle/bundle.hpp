#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/arena.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "model/caller.hpp"
#include "model/diary.hpp"
#include "model/form.hpp"
#include "model/journal.hpp"
#include "stages/fhir/check/score.hpp"

namespace vesper {

/// The mapper that new diaries are committed with; stored beside each of them.
inline constexpr std::uint16_t mapper_version = 1;

/// Whether this build can still write the bundles that `version` owed.
[[nodiscard]] constexpr bool knows_mapper(std::uint16_t version) {
  return version == mapper_version;
}

/// Who is answerable for the answers.
enum class Author : std::uint8_t { patient, site, service };

[[nodiscard]] Author author_of(Scopes scopes);

/// All that determines a bundle, byte for byte.
struct BundleInput {
  const Form* form = nullptr;           ///< Form::plan is set
  const Diary* diary = nullptr;         ///< as decoded from the stored source
  std::span<const ResponseItem> items;  ///< shaped and checked, in the form's order
  std::span<const ScoreSum> scores;     ///< of sum_scores()
  std::string_view trial_id;
  std::string_view subject_system;  ///< of the judging trial revision; empty: a default urn
  PatientText subject_id;
  Uuid submission_id, delivery_id;
  WallTime received_at;
  Hash content_hash{};
  std::uint8_t flags = 0;  ///< set of Flag
  Author author = Author::patient;
  std::string_view issuer;     ///< of the caller's token; unused for a patient
  PatientText caller_subject;  ///< likewise
};

/// Appends the transaction Bundle of one diary to `out`: QuestionnaireResponse, Observations (one
/// for each extracted answer and each score), Provenance, each as a PUT with a derived id.
///   Shape:  a pure function: equal inputs give equal bytes, in every build that knows the mapper.
///           Everything in the bundle that refers to something in it does so as `Type/id`.
///   Errors: none; a diary that passed the form's checks has a bundle.
///   Source: FHIR R4 (4.0.1), SDC observation-based extraction. Why: decisions 0140 and 0141.
void write_bundle(std::string& out, const BundleInput& input, Arena& arena);

}  // namespace vesper
