#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "model/journal.hpp"
#include "stages/journal/delivery_id.hpp"
#include "stages/journal/sha256.hpp"

namespace vesper::contract {

/// One diary that owns what its JournalEntry views.
struct TestDiary {
  explicit TestDiary(std::uint64_t seed, std::string of_subject = "S-000123",
                     std::string bytes = "")
      : subject(std::move(of_subject)), source(std::move(bytes)) {
    Random random(seed * 2654435761u + 17);
    submission =
        uuid_v7(1763640845123 + static_cast<std::int64_t>(seed), random.next(), random.next());
    if (source.empty()) source = R"({"answers":{"pain-nrs":)" + std::to_string(seed) + "}}";
    caller.issuer = "https://id.example";
    caller.kid = "k1";
    caller.algorithm = "HS256";
    caller.jti = "jti-" + std::to_string(seed);
    caller.subject = subject;
    caller.scopes.add(Scope::patient);
  }
  [[nodiscard]] JournalEntry entry() const {
    JournalEntry made;
    made.submission_id = submission;
    made.trial_id = trial;
    made.subject_id = PatientText{subject};
    made.delivery_id = delivery_id(trial, made.subject_id, submission);
    made.trial_revision = 3;
    made.form_id = "evening-diary";
    made.form_version = "3";
    made.source = source;
    made.content_hash = content_hash(source);
    made.received_at = WallTime{std::chrono::milliseconds{1763640845123}};
    made.authored = PatientText{"2026-11-20T20:14:05+08:00"};
    made.site = "site-7";
    made.app_version = "2.4.1";
    made.caller = &caller;
    made.disposition = disposition;
    made.held_reason = held_reason;
    made.mapper_version = 1;
    made.amends = amends;
    made.destinations = &destinations;
    return made;
  }

  std::string trial = "EVENING-01", subject, source;
  Uuid submission;
  Caller caller;
  Disposition disposition = Disposition::accepted;
  HeldReason held_reason = HeldReason::none;
  std::optional<Uuid> amends;
  std::vector<std::string> destinations{"default"};
};

}  // namespace vesper::contract
