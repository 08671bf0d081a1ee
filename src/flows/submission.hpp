#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.hpp"
#include "model/caller.hpp"
#include "model/diary.hpp"
#include "model/http.hpp"
#include "model/issue.hpp"
#include "ports/catalog.hpp"
#include "stages/decode/decoder.hpp"

namespace vesper {

/// Why a request is answered with an error, before it becomes HTTP in flows/replies.cpp.
struct Refusal {
  std::uint16_t status = 400;
  Issues issues;
};
[[nodiscard]] std::unexpected<Refusal> refused(std::uint16_t status, IssueCode code,
                                               std::string_view diagnostics,
                                               std::string_view expression = {},
                                               IssueKind kind = IssueKind::none);

/// What the head of a `POST /patient/data` says about its body.
struct SubmissionHead {
  MediaType media = MediaType::json;
  std::optional<Uuid> idempotency_key;
  std::string trial_parameter;  ///< `?trial=`, empty: absent
};

/// The four media types of intake, charset UTF-8, identity coding (415 otherwise).
[[nodiscard]] std::expected<MediaType, Refusal> media_type_of(const RequestHead& head);

/// Bare, or the quoted string of the IETF draft; one header, one UUID.
[[nodiscard]] std::expected<std::optional<Uuid>, Refusal> idempotency_key_of(
    const RequestHead& head);

[[nodiscard]] std::expected<SubmissionHead, Refusal> read_submission_head(const RequestHead& head);

/// 400 for what does not parse or has no good submission id, 422 for what else is no diary.
[[nodiscard]] Refusal refusal_of(const DecodeFault& fault, const SubmissionHead& head);

/// The diary's id: header or body, equal when both are given; none is a 400.
[[nodiscard]] std::expected<Uuid, Refusal> submission_id_of(const SubmissionHead& head,
                                                            const Diary& diary);

/// The trial a diary belongs to: its own statement, or for FHIR the token's or `?trial=`.
[[nodiscard]] std::expected<std::string_view, Refusal> trial_of(const SubmissionHead& head,
                                                                const Diary& diary,
                                                                const Caller& caller);

/// Whether this caller may send a diary of this subject to this trial (403).
[[nodiscard]] std::expected<void, Refusal> may_submit(const Caller& caller,
                                                      std::string_view trial_id,
                                                      PatientText subject_id);

/// The trial in force (404). Keeps the snapshot alive with it.
[[nodiscard]] std::expected<std::shared_ptr<const Trial>, Refusal> find_trial(
    const Catalog& catalog, std::string_view trial_id);

/// False when `Accept` excludes what we have to say (406).
[[nodiscard]] bool accepts_json(const RequestHead& head);

}  // namespace vesper
