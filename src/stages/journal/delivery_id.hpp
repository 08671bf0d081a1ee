#pragma once
#include <cstdint>
#include <string_view>

#include "base/uuid.hpp"
#include "model/patient_text.hpp"

namespace vesper {

/// The name of one diary everywhere outside its patient: UUIDv5 of trial, subject and submission.
///   Shape: the hashed name is length-prefixed (32 bits, big-endian), so no two different triples
///          share one; it never changes, because data platforms dedupe by it.
[[nodiscard]] Uuid delivery_id(std::string_view trial_id, PatientText subject_id,
                               Uuid submission_id);

/// Stable number of the patient (trial, subject), for keeping her deliveries in order.
///   Why: 64 bits of hash, no table: two patients who share a lane only wait for each other.
[[nodiscard]] std::uint64_t lane_of(std::string_view trial_id, PatientText subject_id);

}  // namespace vesper
