#include "golden/pipeline.hpp"

#include <algorithm>

#include "stages/catalog/publication.hpp"
#include "stages/catalog/questionnaire.hpp"
#include "stages/decode/decoder.hpp"
#include "stages/fhir/bundle/bundle.hpp"
#include "stages/fhir/bundle/plan.hpp"
#include "stages/fhir/check/judge.hpp"
#include "stages/fhir/check/plan.hpp"

namespace vesper::golden {
namespace {

using nlohmann::json;

Coding coding_of(const json& from) {
  return {from.value("system", ""), from.value("version", ""), from.value("code", ""),
          from.value("display", "")};
}

Score score_of(const json& from, const Form& form) {
  Score score;
  score.id = from.at("id");
  score.code = coding_of(from.at("code"));
  for (const auto& link_id : from.at("items"))
    score.items.push_back(form.index_of(link_id.get<std::string>()));
  if (from.contains("unit")) score.unit = coding_of(from["unit"]);
  for (const auto& band : from.value("bands", json::array()))
    score.bands.push_back({band.at("low"), band.at("high"), coding_of(band.at("meaning"))});
  return score;
}

MediaType media_of(const std::string& name) {
  if (name == "application/json") return MediaType::json;
  if (name == "application/xml") return MediaType::xml;
  if (name == "application/odm+xml") return MediaType::odm;
  return MediaType::fhir;
}

void attach_plans(Form& form) {
  Issues ignored;  // publishing tells of rules that cannot be evaluated; judging a diary does too
  form.check_plan = make_check_plan(form, ignored);
  form.plan = make_plan(form);
}

Form form_of(const json& from, Issues& issues) {
  CompiledForm compiled = compile_form(from.at("questionnaire").dump());
  Form& form = compiled.form;
  issues = std::move(compiled.issues);
  form.id = from.at("id");
  form.by_field = form.by_link_id;
  for (const auto& score : from.value("scores", json::array()))
    form.scores.push_back(score_of(score, form));
  attach_plans(form);
  return std::move(form);
}

// The form a diary states, of a whole trial document as it would be published.
Form published_form(const json& document, const Diary& diary, Issues& issues) {
  const Publication publication =
      judge_publication(nullptr, document.dump(), {.prepare = attach_plans});
  issues = publication.issues;
  if (publication.trial == nullptr) return {};
  const auto bar = diary.questionnaire.rfind('|');
  const Form* form = diary.is_fhir
                         ? publication.trial->find_canonical(diary.questionnaire.substr(0, bar),
                                                             diary.questionnaire.substr(bar + 1))
                         : publication.trial->find(diary.form_id, diary.form_version);
  if (form != nullptr) return *form;
  issues.push_back({.code = IssueCode::not_found, .diagnostics = "form", .expression = {}});
  return {};
}

Uuid uuid_of(const json& from) {
  return parse_uuid(from.get<std::string>()).value();
}

Hash hash_of(const std::string& hex) {
  Hash hash;
  for (std::size_t i = 0; i < hash.size(); ++i)
    hash[i] = static_cast<std::uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  return hash;
}

Author author_of(const std::string& role) {
  if (role == "site") return Author::site;
  return role == "service" ? Author::service : Author::patient;
}

bool has_fault(const Issues& issues) {
  return std::ranges::any_of(issues, is_fault);
}

}  // namespace

std::vector<json> questionnaires_of(const json& description) {
  if (description.contains("form")) return {description["form"]["questionnaire"]};
  std::vector<json> out;
  for (const auto& form : description.at("document").at("forms"))
    out.push_back(form.at("questionnaire"));
  return out;
}

Outcome run(const json& description) {
  Outcome outcome;
  Arena arena;
  const std::string source = description.at("source"), trial = description.at("trial");
  const auto decoded = Decoder{}.decode(media_of(description.at("type")), source, arena);
  if (!decoded) {
    outcome.issues = decoded.error().issues;
    return outcome;
  }
  const Diary& diary = *decoded;
  const Form form = description.contains("document")
                        ? published_form(description["document"], diary, outcome.issues)
                        : form_of(description.at("form"), outcome.issues);
  if (has_fault(outcome.issues)) return outcome;
  BundleInput input;
  input.items = judge_diary(form, diary, arena, outcome.issues);
  if (has_fault(outcome.issues)) return outcome;
  const json caller = description.value("caller", json::object());
  const std::string system = description.value("subjectSystem", ""),
                    issuer = caller.value("issuer", ""), subject = caller.value("subject", "");
  input.form = &form;
  input.diary = &diary;
  input.scores = sum_scores(form, input.items, arena);
  input.trial_id = trial;
  input.subject_system = system;
  input.subject_id = diary.subject_id;
  input.submission_id = uuid_of(description.at("submissionId"));
  input.delivery_id = uuid_of(description.at("deliveryId"));
  input.received_at = parse_date_time(description.at("receivedAt").get<std::string>())->utc;
  input.content_hash = hash_of(description.at("contentHash"));
  input.flags = description.value("flags", std::uint8_t{0});
  input.author = author_of(caller.value("role", "patient"));
  input.issuer = issuer;
  input.caller_subject = PatientText{subject};
  write_bundle(outcome.bundle, input, arena);
  return outcome;
}

}  // namespace vesper::golden
