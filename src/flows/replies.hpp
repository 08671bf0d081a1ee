#pragma once
#include <cstdint>
#include <string_view>

#include "base/random.hpp"
#include "flows/submission.hpp"
#include "model/http.hpp"
#include "model/issue.hpp"
#include "ports/journal_store.hpp"
#include "stages/access/access_fault.hpp"
#include "stages/admission/allowances.hpp"

namespace vesper {

inline constexpr std::string_view json_type = "application/json";
inline constexpr std::string_view fhir_json_type = "application/fhir+json";

/// Faults and outcomes become HTTP here and nowhere else.
///   Shape: every function leaves a whole answer in `reply`.

/// An OperationOutcome with one issue.
void refuse(Reply& reply, std::uint16_t status, IssueCode code, std::string_view diagnostics,
            IssueKind kind = IssueKind::none);
/// An OperationOutcome with these issues (400, 422).
void refuse(Reply& reply, std::uint16_t status, const Issues& issues);

/// The same with Retry-After: whole seconds, uniform in [least, 2 * least], so that a crowd
/// spreads.
void refuse_for_now(Reply& reply, std::uint16_t status, IssueCode code,
                    std::string_view diagnostics, std::uint32_t least_seconds, Random& random);

/// 503 of the door: fixed bytes but for the seconds, no allocation in a reply that was used before.
void refuse_for_load(Reply& reply, std::uint32_t retry_after_s);

/// 429: whole seconds until there is room, jittered, and no allocation in a reply that was used
/// before.
void refuse_for_rate(Reply& reply, admission::OverRate why, Duration wait, Random& random);

/// What a failed commit or look-up tells the client to do.
void refuse_for_store(Reply& reply, StoreFault fault, Random& random);

/// The 201: Location, the receipt, and Idempotent-Replay on a repeat.
void acknowledge(Reply& reply, const ReceiptFacts& facts, bool replay);

/// A known id with other bytes (422, `conflict`).
void refuse_conflict(Reply& reply);

void refuse(Reply& reply, const Refusal& refusal);

/// Credentials that are not accepted: 401 with its challenge, or 503 while a key may still come.
void refuse_for_access(Reply& reply, access::AccessFault fault, bool retryable, Random& random);

/// The issue code that fits a fault of framing or limits found by the server.
[[nodiscard]] IssueCode code_for_status(std::uint16_t status);

}  // namespace vesper
