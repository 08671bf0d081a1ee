#include "stages/fhir/bundle/plan.hpp"

#include <span>

#include "base/encoding.hpp"
#include "stages/fhir/bundle/ids.hpp"
#include "stages/fhir/bundle/json_sink.hpp"
#include "stages/fhir/check/option.hpp"

namespace vesper {
namespace {

constexpr std::string_view survey =
    R"({"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category",)"
    R"("code":"survey","display":"Survey"}]})";

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (is_blank(text)) return;
  if (out.back() != '{') out += ',';
  out += '"';
  out += name;
  out += "\":\"";
  append_json_escaped(out, text);
  out += '"';
}

std::string rendered_unit(const std::optional<Coding>& unit) {
  if (!unit) return {};
  std::string members = "{";
  append_member(members, "unit", unit->display.empty() ? unit->code : unit->display);
  if (!unit->system.empty()) {
    append_member(members, "system", unit->system);
    append_member(members, "code", unit->code);
  }
  members[0] = ',';
  return members.size() == 1 ? std::string{} : members;
}

std::string rendered_category(std::span<const Coding> categories) {
  std::string out = "\"category\":[";
  if (categories.empty()) out += survey;
  for (const Coding& category : categories) {
    if (out.back() == '}') out += ',';
    out += "{\"coding\":[";
    append_coding(out, category);
    out += "]}";
  }
  return out + "],";
}

std::string rendered_code(std::span<const Coding> codes, std::string_view text) {
  std::string out = "\"code\":{\"coding\":[";
  for (const Coding& code : codes) {
    if (out.back() == '}') out += ',';
    append_coding(out, code);
  }
  out += ']';
  append_member(out, "text", text);
  return out + "},";
}

// Attachments and references have no place in Observation.value[x] of R4.
bool has_observation_value(ItemType type) {
  return type != ItemType::group && type != ItemType::display && type != ItemType::attachment &&
         type != ItemType::reference;
}

FhirPlan::Item planned(const FormItem& item) {
  FhirPlan::Item out;
  out.response = "{";
  append_member(out.response, "linkId", item.link_id);
  append_member(out.response, "text", item.text);
  for (const Option& option : item.options) {
    std::string& coding = out.options.emplace_back();
    if (option.kind == Option::Kind::coding) append_coding(coding, option.coding);
  }
  out.option_order = order_of(item.options);
  out.unit = rendered_unit(item.unit);
  if (item.extract && !item.codes.empty() && has_observation_value(item.type)) {
    out.observation =
        rendered_category(item.extract_categories) + rendered_code(item.codes, item.text);
    out.observation_0.emplace(observation_name(item.link_id, 0));
  }
  return out;
}

FhirPlan::Scored planned(const Score& score) {
  FhirPlan::Scored out{.observation = rendered_category({}) +
                                      rendered_code(std::span{&score.code, 1}, score.code.display),
                       .unit = rendered_unit(score.unit),
                       .interpretations = {},
                       .id = UuidName{score_observation_name(score.id)}};
  for (const ScoreBand& band : score.bands) {
    std::string& json = out.interpretations.emplace_back(R"(,"interpretation":[{"coding":[)");
    append_coding(json, band.meaning);
    json += "]}]";
  }
  return out;
}

}  // namespace

void append_coding(std::string& out, const Coding& coding) {
  out += '{';
  append_member(out, "system", coding.system);
  append_member(out, "version", coding.version);
  append_member(out, "code", coding.code);
  append_member(out, "display", coding.display);
  out += '}';
}

std::shared_ptr<const FhirPlan> make_plan(const Form& form) {
  constexpr std::size_t fixed_bytes = 2800, answer_bytes = 160, observation_bytes = 800;
  auto plan = std::make_shared<FhirPlan>();
  plan->bundle_size_guess = fixed_bytes;
  for (const FormItem& item : form.items) {
    const auto& added = plan->items.emplace_back(planned(item));
    plan->bundle_size_guess += answer_bytes + added.response.size() + added.observation.size() +
                               (added.observation_0 ? observation_bytes : 0);
  }
  for (const Score& score : form.scores) {
    const auto& added = plan->scores.emplace_back(planned(score));
    plan->bundle_size_guess +=
        observation_bytes + added.observation.size() + 80 * score.items.size();
  }
  append_json_escaped(plan->questionnaire, form.url);
  if (!form.version.empty()) {
    plan->questionnaire += '|';
    append_json_escaped(plan->questionnaire, form.version);
  }
  return plan;
}

}  // namespace vesper
