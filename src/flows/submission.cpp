#include "flows/submission.hpp"

#include "flows/routes.hpp"

#include "stages/access/policy.hpp"

namespace vesper {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool same_word(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (lower(text[i]) != lower_case[i]) return false;
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Cuts the next piece off `rest`, up to `separator`.
std::string_view next_piece(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view piece = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return piece;
}

std::optional<MediaType> known_media(std::string_view type) {
  if (same_word(type, "application/json")) return MediaType::json;
  if (same_word(type, "application/fhir+json")) return MediaType::fhir;
  if (same_word(type, "application/xml")) return MediaType::xml;
  if (same_word(type, "application/odm+xml")) return MediaType::odm;
  return {};
}

Issue no_submission_id() {
  return {.code = IssueCode::required,
          .diagnostics =
              "no submission id: send a UUID made before the first try as submissionId or in "
              "Idempotency-Key",
          .expression = "submissionId"};
}

bool utf8_charset(std::string_view parameter) {
  std::string_view rest = parameter;
  const std::string_view name = next_piece(rest, '=');
  if (!same_word(name, "charset")) return true;
  std::string_view value = trim(rest);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  return same_word(value, "utf-8") || same_word(value, "utf8");
}

}  // namespace

std::unexpected<Refusal> refused(std::uint16_t status, IssueCode code, std::string_view diagnostics,
                                 std::string_view expression, IssueKind kind) {
  return std::unexpected{Refusal{
      status, {{Severity::error, code, kind, std::string{diagnostics}, std::string{expression}}}}};
}

std::expected<MediaType, Refusal> media_type_of(const RequestHead& head) {
  constexpr std::string_view offered =
      "Content-Type must be application/json, application/xml, application/odm+xml or "
      "application/fhir+json, in UTF-8";
  std::size_t codings = 0;
  if (const Header* coding = head.find("content-encoding", &codings);
      coding != nullptr && (codings != 1 || !same_word(coding->value, "identity")))
    return refused(415, IssueCode::not_supported,
                   "Content-Encoding is not taken: send the bytes as they are");
  std::size_t count = 0;
  const Header* type = head.find("content-type", &count);
  if (type == nullptr || count != 1) return refused(415, IssueCode::not_supported, offered);
  std::string_view rest = type->value;
  const auto media = known_media(next_piece(rest, ';'));
  if (!media) return refused(415, IssueCode::not_supported, offered);
  while (!rest.empty())
    if (!utf8_charset(next_piece(rest, ';')))
      return refused(415, IssueCode::not_supported, offered);
  return *media;
}

std::expected<std::optional<Uuid>, Refusal> idempotency_key_of(const RequestHead& head) {
  std::size_t count = 0;
  const Header* header = head.find("idempotency-key", &count);
  if (header == nullptr) return std::optional<Uuid>{};
  std::string_view value = header->value;
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  const auto id = parse_uuid(value);
  if (count != 1 || !id)
    return refused(400, IssueCode::value, "Idempotency-Key must be one UUID, bare or quoted",
                   "Idempotency-Key");
  return id;
}

std::expected<SubmissionHead, Refusal> read_submission_head(const RequestHead& head) {
  const auto media = media_type_of(head);
  if (!media) return std::unexpected{media.error()};
  const auto key = idempotency_key_of(head);
  if (!key) return std::unexpected{key.error()};
  return SubmissionHead{*media, *key, query_parameter(head.query, "trial").value_or("")};
}

Refusal refusal_of(const DecodeFault& fault, const SubmissionHead& head) {
  using enum DecodeFault::StatedId;
  Refusal refusal{422, fault.issues};
  if (!fault.parseable || fault.stated_id == malformed) refusal.status = 400;
  if (fault.parseable && fault.stated_id == absent && !head.idempotency_key) {
    refusal.status = 400;
    refusal.issues.insert(refusal.issues.begin(), no_submission_id());
  }
  return refusal;
}

std::expected<Uuid, Refusal> submission_id_of(const SubmissionHead& head, const Diary& diary) {
  if (head.idempotency_key && diary.submission_id && *head.idempotency_key != *diary.submission_id)
    return refused(400, IssueCode::value,
                   "Idempotency-Key and the diary state different submission ids",
                   "Idempotency-Key");
  if (head.idempotency_key) return *head.idempotency_key;
  if (diary.submission_id) return *diary.submission_id;
  return std::unexpected{Refusal{400, {no_submission_id()}}};
}

std::expected<std::string_view, Refusal> trial_of(const SubmissionHead& head, const Diary& diary,
                                                  const Caller& caller) {
  if (!diary.trial_id.empty()) return diary.trial_id.reveal();
  if (!head.trial_parameter.empty()) return head.trial_parameter;
  if (caller.trials.size() == 1) return caller.trials.front();
  return refused(400, IssueCode::required,
                 "this token is for several trials: name one with ?trial=", "trial");
}

std::expected<void, Refusal> may_submit(const Caller& caller, std::string_view trial_id,
                                        PatientText subject_id) {
  const auto decision =
      access::decide(access::Action::submit_diary, caller, {trial_id, subject_id, caller.site});
  if (decision == access::Decision::allowed) return {};
  return refused(403, IssueCode::forbidden, access::text_of(decision));
}

std::expected<std::shared_ptr<const Trial>, Refusal> find_trial(const Catalog& catalog,
                                                                std::string_view trial_id) {
  const auto& trials = catalog.snapshot()->trials;
  if (const auto found = trials.find(trial_id); found != trials.end()) return found->second;
  return refused(404, IssueCode::not_found, "No such trial is published here.", "trialId");
}

bool accepts_json(const RequestHead& head) {
  bool stated = false;
  for (const auto& header : head.headers) {
    if (!same_word(header.name, "accept")) continue;
    std::string_view ranges = header.value;
    stated |= !ranges.empty();
    while (!ranges.empty()) {
      std::string_view range = next_piece(ranges, ',');
      const std::string_view type = next_piece(range, ';');
      bool excluded = false;
      while (!range.empty()) {
        const std::string_view parameter = next_piece(range, ';');
        excluded |= parameter == "q=0" || parameter == "q=0.0" || parameter == "q=0.00" ||
                    parameter == "q=0.000";
      }
      if (!excluded &&
          (type == "*/*" || same_word(type, "application/*") ||
           same_word(type, "application/json") || same_word(type, "application/fhir+json")))
        return true;
    }
  }
  return !stated;
}

}  // namespace vesper
