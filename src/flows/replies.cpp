#include "flows/replies.hpp"

#include <fmt/format.h>

#include <utility>

#include "stages/journal/receipt.hpp"

namespace vesper {

void refuse(Reply& reply, std::uint16_t status, const Issues& issues) {
  reply.status = status;
  reply.content_type = fhir_json_type;
  reply.body = to_operation_outcome(issues);
  if (status == 403) reply.add_header("WWW-Authenticate", access::forbidden_challenge);
}

void refuse(Reply& reply, std::uint16_t status, IssueCode code, std::string_view diagnostics,
            IssueKind kind) {
  refuse(reply, status, {{Severity::error, code, kind, std::string{diagnostics}, {}}});
}

void refuse_for_now(Reply& reply, std::uint16_t status, IssueCode code,
                    std::string_view diagnostics, std::uint32_t least_seconds, Random& random) {
  refuse(reply, status, code, diagnostics);
  const std::uint32_t least = std::max(1u, least_seconds);
  reply.add_header("Retry-After", fmt::format("{}", least + random.below(least + 1)));
}

void refuse_for_load(Reply& reply, std::uint32_t retry_after_s) {
  static const std::string outcome = to_operation_outcome(
      {{Severity::error,
        IssueCode::throttled,
        IssueKind::none,
        "The server has more to do than it can; nothing was stored. Send the same bytes again "
        "after the seconds in Retry-After.",
        {}}});
  reply.status = 503;
  reply.content_type = fhir_json_type;
  reply.body = outcome;
  const fmt::format_int seconds{std::max(1u, retry_after_s)};
  reply.add_header("Retry-After", {seconds.data(), seconds.size()});
}

namespace {

std::string throttled(std::string_view diagnostics) {
  return to_operation_outcome(
      {{Severity::error, IssueCode::throttled, IssueKind::none, std::string{diagnostics}, {}}});
}

const std::string& outcome_of(admission::OverRate why) {
  static const std::string patient = throttled(
      "This patient sends more often than the trial allows. Send the same bytes again after the "
      "seconds in Retry-After.");
  static const std::string day = throttled(
      "This patient has sent as many diaries as the trial allows a day. Send the same bytes again "
      "after the seconds in Retry-After.");
  static const std::string caller = throttled(
      "This site or service sends more often than is allowed. Send the same bytes again after the "
      "seconds in Retry-After.");
  static const std::string trial = throttled(
      "This trial sends more than it is allowed. Send the same bytes again after the seconds in "
      "Retry-After.");
  static const std::string address = throttled(
      "This network address sends more often than is allowed. Send the same bytes again after the "
      "seconds in Retry-After.");
  static const std::string connection = throttled(
      "This connection sends more often than is allowed. Send the same bytes again after the "
      "seconds in Retry-After.");
  switch (why) {
    case admission::OverRate::address:
      return address;
    case admission::OverRate::connection:
      return connection;
    case admission::OverRate::patient:
      return patient;
    case admission::OverRate::patient_day:
      return day;
    case admission::OverRate::caller:
      return caller;
    case admission::OverRate::trial:
    case admission::OverRate::nothing:
      return trial;
  }
  std::unreachable();
}

}  // namespace

void refuse_for_rate(Reply& reply, admission::OverRate why, Duration wait, Random& random) {
  reply.status = 429;
  reply.content_type = fhir_json_type;
  reply.body = outcome_of(why);
  const auto whole = std::chrono::ceil<std::chrono::seconds>(wait).count();
  const auto least = static_cast<std::uint64_t>(std::max<std::int64_t>(1, whole));
  const fmt::format_int seconds{least + random.below(1 + (least + 4) / 5)};
  reply.add_header("Retry-After", {seconds.data(), seconds.size()});
}

void refuse_for_store(Reply& reply, StoreFault fault, Random& random) {
  switch (fault) {
    case StoreFault::disk_reserve:
      return refuse_for_now(reply, 507, IssueCode::no_store,
                            "The journal's disk reserve is reached; nothing was stored. Send the "
                            "same bytes again later.",
                            60, random);
    case StoreFault::queue_full:
      return refuse_for_now(reply, 503, IssueCode::throttled,
                            "Too many diaries wait for the journal; nothing was stored. Send the "
                            "same bytes again.",
                            1, random);
    case StoreFault::timed_out:
      return refuse_for_now(reply, 503, IssueCode::timeout,
                            "The journal did not confirm in time. Send the same bytes again.", 2,
                            random);
    case StoreFault::departed:
      return refuse_for_now(reply, 503, IssueCode::transient,
                            "The connection's other side had ended before the journal's turn came; "
                            "nothing was stored. Send the same bytes again.",
                            1, random);
    case StoreFault::stopping:
      return refuse_for_now(reply, 503, IssueCode::transient,
                            "The server is stopping; nothing was stored. Send the same bytes "
                            "again.",
                            2, random);
    case StoreFault::stale:
      return refuse(reply, 412, IssueCode::conflict,
                    "Somebody else published this trial meanwhile; read it again.");
    case StoreFault::not_found:
      return refuse(reply, 404, IssueCode::not_found, "There is nothing of yours by this name.");
    case StoreFault::broken:
      return refuse_for_now(reply, 503, IssueCode::exception,
                            "The journal has failed. Send the same bytes again.", 5, random);
  }
  std::unreachable();
}

void refuse(Reply& reply, const Refusal& refusal) {
  refuse(reply, refusal.status, refusal.issues);
}

void refuse_conflict(Reply& reply) {
  refuse(reply, 422, IssueCode::conflict,
         "This submission id is taken by a diary with other bytes. A correction needs an id of its "
         "own.",
         IssueKind::conflict);
}

void acknowledge(Reply& reply, const ReceiptFacts& facts, bool replay) {
  reply.status = 201;
  reply.content_type = json_type;
  char location[] = "Location: /patient/data/xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx\r\n";
  format_uuid(facts.submission_id, location + sizeof location - 3 - uuid_chars);
  reply.headers.append(location, sizeof location - 1);
  if (replay) reply.add_header("Idempotent-Replay", "true");
  write_receipt(reply.body, facts);
}

void refuse_for_access(Reply& reply, access::AccessFault fault, bool retryable, Random& random) {
  if (retryable)
    return refuse_for_now(reply, 503, IssueCode::transient, access::text_of(fault), 2, random);
  refuse(reply, 401, IssueCode::login, access::text_of(fault));
  reply.add_header("WWW-Authenticate", access::challenge_of(fault));
}

IssueCode code_for_status(std::uint16_t status) {
  switch (status) {
    case 408:
      return IssueCode::timeout;
    case 413:
    case 414:
    case 431:
      return IssueCode::too_long;
    case 417:
    case 501:
    case 505:
      return IssueCode::not_supported;
    case 429:
    case 503:
      return IssueCode::throttled;
    default:
      return IssueCode::structure;
  }
}

}  // namespace vesper
