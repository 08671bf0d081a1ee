#include <array>

#include <fmt/format.h>

#include "stages/decode/members.hpp"
#include "stages/decode/syntaxes.hpp"

namespace vesper::decoding {
namespace {

constexpr std::string_view uuid_prefix = "urn:uuid:", patient_prefix = "Patient/";

// The text of a string member; nothing when it is absent, an issue when it is no string.
Stated text_member(const JsonValue& object, std::string_view name, std::string_view path,
                   Faults& faults) {
  Stated member{.path = path};
  const JsonValue* value = object.find(name);
  if (value == nullptr) return member;
  if (!value->is(JsonKind::string)) {
    faults.add(IssueCode::structure, fmt::format("{} must be a string.", path), std::string{path});
    return member;
  }
  member.given = true;
  member.text = value->text;
  return member;
}

const JsonValue* object_member(const JsonValue& object, std::string_view name,
                               std::string_view path, Faults& faults) {
  const JsonValue* value = object.find(name);
  if (value == nullptr || value->is(JsonKind::object)) return value;
  faults.add(IssueCode::structure, fmt::format("{} must be an object.", path), std::string{path});
  return nullptr;
}

void read_identifier(const JsonValue& root, Faults& faults, Diary& diary) {
  const JsonValue* identifier =
      object_member(root, "identifier", "QuestionnaireResponse.identifier", faults);
  if (identifier == nullptr) return;
  const auto system =
      text_member(*identifier, "system", "QuestionnaireResponse.identifier.system", faults);
  auto value = text_member(*identifier, "value", "QuestionnaireResponse.identifier.value", faults);
  if (system.text != "urn:ietf:rfc:3986" || !value.given) return;
  if (!value.text.starts_with(uuid_prefix)) {
    faults.add(IssueCode::value, "QuestionnaireResponse.identifier.value must be urn:uuid:...",
               std::string{value.path});
    return;
  }
  value.text.remove_prefix(uuid_prefix.size());
  diary.submission_id = check_uuid(value, faults);
}

void read_subject(const JsonValue& root, Strictness strictness, Faults& faults, Diary& diary) {
  const JsonValue* subject =
      object_member(root, "subject", "QuestionnaireResponse.subject", faults);
  Stated by_identifier, by_reference;
  if (subject != nullptr) {
    if (const JsonValue* identifier = object_member(
            *subject, "identifier", "QuestionnaireResponse.subject.identifier", faults))
      by_identifier = text_member(*identifier, "value",
                                  "QuestionnaireResponse.subject.identifier.value", faults);
    by_reference =
        text_member(*subject, "reference", "QuestionnaireResponse.subject.reference", faults);
  }
  if (strictness == Strictness::form_only) return;
  if (by_reference.given) {
    if (!by_reference.text.starts_with(patient_prefix)) {
      faults.add(IssueCode::value, "QuestionnaireResponse.subject.reference must be Patient/ID.",
                 std::string{by_reference.path});
      return;
    }
    by_reference.text.remove_prefix(patient_prefix.size());
  }
  if (by_identifier.given && by_reference.given && by_identifier.text != by_reference.text) {
    faults.add(IssueCode::value, "subject.identifier and subject.reference name two subjects.",
               "QuestionnaireResponse.subject");
    return;
  }
  const Stated& stated = by_identifier.given ? by_identifier : by_reference;
  if (!stated.given) {
    faults.add(IssueCode::required,
               "The subject is missing: give subject.identifier.value or subject.reference.",
               "QuestionnaireResponse.subject");
  } else if (check_name(stated, subject_bytes_max, faults)) {
    diary.subject_id = PatientText{stated.text};
  }
}

void read_author(const JsonValue& root, Faults& faults, Diary& diary) {
  const JsonValue* author = object_member(root, "author", "QuestionnaireResponse.author", faults);
  if (author == nullptr) return;
  Stated stated =
      text_member(*author, "reference", "QuestionnaireResponse.author.reference", faults);
  if (!stated.given) {
    const JsonValue* identifier =
        object_member(*author, "identifier", "QuestionnaireResponse.author.identifier", faults);
    if (identifier == nullptr) return;
    stated =
        text_member(*identifier, "value", "QuestionnaireResponse.author.identifier.value", faults);
  }
  if (stated.given && check_name(stated, questionnaire_bytes_max, faults))
    diary.author_reference = PatientText{stated.text};
}

void read_questionnaire(const JsonValue& root, Strictness strictness, Faults& faults,
                        Diary& diary) {
  constexpr std::string_view path = "QuestionnaireResponse.questionnaire";
  const auto stated = text_member(root, "questionnaire", path, faults);
  if (strictness == Strictness::form_only) {
    diary.questionnaire = stated.text;
    return;
  }
  if (!stated.given) {
    faults.add(IssueCode::required, "questionnaire is missing.", std::string{path});
    return;
  }
  if (!check_name(stated, questionnaire_bytes_max, faults)) return;
  const auto bar = stated.text.rfind('|');
  if (bar == std::string_view::npos || bar == 0 || bar + 1 == stated.text.size()) {
    faults.add(IssueCode::value, "questionnaire must be canonical|version.", std::string{path});
    return;
  }
  diary.questionnaire = stated.text;
}

void read_status(const JsonValue& root, Strictness strictness, Faults& faults, Diary& diary) {
  static constexpr std::array<std::pair<std::string_view, ResponseStatus>, 5> states{
      {{"completed", ResponseStatus::completed},
       {"amended", ResponseStatus::amended},
       {"in-progress", ResponseStatus::in_progress},
       {"stopped", ResponseStatus::stopped},
       {"entered-in-error", ResponseStatus::entered_in_error}}};
  constexpr std::string_view path = "QuestionnaireResponse.status";
  const auto stated = text_member(root, "status", path, faults);
  if (!stated.given) {
    if (root.find("status") == nullptr)
      faults.add(IssueCode::required, "status is missing.", std::string{path});
    return;
  }
  const std::size_t allowed = strictness == Strictness::intake ? 2 : states.size();
  for (std::size_t i = 0; i < allowed; ++i) {
    if (states[i].first != stated.text) continue;
    diary.status = states[i].second;
    return;
  }
  faults.add(IssueCode::value,
             strictness == Strictness::intake ? "status must be completed or amended."
                                              : "status is not one that FHIR knows.",
             std::string{path});
}

}  // namespace

void read_fhir_response(const JsonValue& root, Strictness strictness, Arena& arena, Faults& faults,
                        Diary& diary) {
  diary.is_fhir = true;
  const JsonValue* type = root.find("resourceType");
  if (type == nullptr || !type->is(JsonKind::string) || type->text != "QuestionnaireResponse") {
    faults.add(IssueCode::structure, "The document must be a FHIR QuestionnaireResponse.",
               "resourceType");
    return;
  }
  if (root.find("modifierExtension") != nullptr)
    faults.add(IssueCode::not_supported, "A modifierExtension is not understood.",
               "QuestionnaireResponse.modifierExtension");
  read_identifier(root, faults, diary);
  read_questionnaire(root, strictness, faults, diary);
  read_status(root, strictness, faults, diary);
  read_subject(root, strictness, faults, diary);
  read_author(root, faults, diary);
  check_language(text_member(root, "language", "QuestionnaireResponse.language", faults), faults,
                 diary);
  const auto authored = text_member(root, "authored", "QuestionnaireResponse.authored", faults);
  if (strictness == Strictness::intake) {
    check_authored(authored, "needs an offset (Z or +08:00).", faults, diary);
  } else if (authored.given) {
    const auto parsed = parse_date_time(authored.text);
    if (!parsed)
      faults.add(IssueCode::value, "authored is no FHIR dateTime.", std::string{authored.path});
    diary.authored_text = PatientText{authored.text};
    diary.authored = parsed.value_or(ParsedDateTime{});
  }
  const Where where{.name = "QuestionnaireResponse"};
  diary.items = read_response_items(root, where, arena, faults);
}

}  // namespace vesper::decoding
