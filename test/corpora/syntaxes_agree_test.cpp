// Goal: the same answers get the same verdict and become the same response in every raw syntax.
// Method: one form, compiled; one diary as JSON, XML and ODM, decoded and judged as intake does.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "stages/catalog/questionnaire.hpp"
#include "stages/decode/decoder.hpp"
#include "stages/fhir/check/judge.hpp"
#include "stages/fhir/check/plan.hpp"

namespace vesper {
namespace {

constexpr std::string_view questionnaire = R"({"resourceType":"Questionnaire","status":"active",
 "url":"http://example.org/q","version":"1","item":[
 {"linkId":"pain","type":"integer","required":true,"extension":[
   {"url":"http://hl7.org/fhir/StructureDefinition/maxValue","valueInteger":10}]},
 {"linkId":"sleep","type":"group","item":[
   {"linkId":"hours","type":"decimal"},{"linkId":"rested","type":"boolean"}]},
 {"linkId":"fatigue","type":"choice","answerOption":[
   {"valueCoding":{"system":"urn:f","code":"mild","display":"Mild"}}]},
 {"linkId":"doses","type":"group","repeats":true,"item":[
   {"linkId":"at","type":"time"},{"linkId":"drug","type":"string"}]}]})";

struct Sent {
  std::string_view pain = "4", fatigue = "mild";
};

std::string json(const Sent& sent) {
  return fmt::format(
      R"({{"submissionId":"019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b","trialId":"T","subjectId":"S",
"form":"f","formVersion":"1","authored":"2026-11-20T20:14:05Z","answers":{{"pain":{},"hours":6.50,
"rested":true,"fatigue":"{}","doses":[{{"at":"08:00:00","drug":"a"}},{{"at":"20:00:00"}}]}}}})",
      sent.pain, sent.fatigue);
}

std::string xml(const Sent& sent) {
  return fmt::format(
      "<diary><submissionId>019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b</submissionId>"
      "<trialId>T</trialId><subjectId>S</subjectId><form>f</form><formVersion>1</formVersion>"
      "<authored>2026-11-20T20:14:05Z</authored><answers><answer field=\"pain\"> {} </answer>"
      "<answer field=\"hours\">6.50</answer><answer field=\"rested\">true</answer>"
      "<answer field=\"fatigue\">{}</answer><group field=\"doses\"><answer field=\"at\">08:00:00"
      "</answer><answer field=\"drug\">a</answer></group><group field=\"doses\">"
      "<answer field=\"at\">20:00:00</answer></group></answers></diary>",
      sent.pain, sent.fatigue);
}

std::string odm(const Sent& sent) {
  return fmt::format(
      R"(<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" FileType="Transactional" FileOID="o"
 CreationDateTime="2026-11-20T20:14:05Z" ODMVersion="1.3.2">
<ClinicalData StudyOID="T" MetaDataVersionOID="1"><SubjectData SubjectKey="S">
<StudyEventData StudyEventOID="e"><FormData FormOID="f|1">
<AuditRecord><UserRef UserOID="u"/><LocationRef LocationOID="l"/>
<DateTimeStamp>2026-11-20T20:14:05Z</DateTimeStamp></AuditRecord>
<ItemGroupData ItemGroupOID="sleep"><ItemData ItemOID="pain" Value="{}"/>
<ItemData ItemOID="hours" Value="6.50"/><ItemData ItemOID="rested" Value="true"/>
<ItemData ItemOID="fatigue" Value="{}"/></ItemGroupData>
<ItemGroupData ItemGroupOID="doses" ItemGroupRepeatKey="1"><ItemData ItemOID="at" Value="08:00:00"/>
<ItemData ItemOID="drug" Value="a"/></ItemGroupData>
<ItemGroupData ItemGroupOID="doses" ItemGroupRepeatKey="2"><ItemData ItemOID="at" Value="20:00:00"/>
</ItemGroupData></FormData></StudyEventData></SubjectData></ClinicalData></ODM>)",
      sent.pain, sent.fatigue);
}

void show(std::span<const ResponseItem> items, std::string& out) {
  for (const auto& item : items) {
    out += fmt::format("{}(", item.link_id.reveal());
    for (const auto& answer : item.answers)
      out += fmt::format("{}:{}|{}|{}|{} ", static_cast<int>(answer.value.kind),
                         answer.value.text.reveal(), answer.value.system.reveal(),
                         answer.value.display.reveal(), answer.value.boolean);
    show(item.items, out);
    out += ")";
  }
}

// What became of a document: its response, then its faults.
std::string outcome(MediaType media, const std::string& source) {
  CompiledForm compiled = compile_form(questionnaire);
  for (std::uint32_t i = 0; i < compiled.form.items.size(); ++i)
    compiled.form.by_field[compiled.form.items[i].link_id] = i;
  Issues issues;
  compiled.form.check_plan = make_check_plan(compiled.form, issues);
  Arena arena;
  const auto diary = Decoder{}.decode(media, source, arena);
  if (!diary) {
    std::string text = "not decoded";
    for (const auto& issue : diary.error().issues)
      text += " " + issue.expression + " " + issue.diagnostics;
    return text;
  }
  std::string text;
  show(judge_diary(compiled.form, *diary, arena, issues), text);
  for (const auto& issue : issues) text += "\n" + issue.expression + ": " + issue.diagnostics;
  return text;
}

TEST(SyntaxesAgree, AValidDiaryIsTheSameResponseInEach) {
  const auto as_json = outcome(MediaType::json, json({}));
  EXPECT_EQ(as_json,
            "pain(4:4|||false )sleep(hours(5:6.50|||false )rested(3:|||true ))"
            "fatigue(12:mild|urn:f|Mild|false )doses(at(8:08:00:00|||false )drug(9:a|||false ))"
            "doses(at(8:20:00:00|||false ))");
  EXPECT_EQ(outcome(MediaType::xml, xml({})), as_json);
  EXPECT_EQ(outcome(MediaType::odm, odm({})), as_json);
}

TEST(SyntaxesAgree, AFaultHasTheSamePathAndWordsInEach) {
  const auto faults = [](const std::string& text) { return text.substr(text.find('\n')); };
  const Sent wrong{.pain = "11", .fatigue = "severe"};
  const auto as_json = faults(outcome(MediaType::json, json(wrong)));
  EXPECT_EQ(as_json,
            "\nanswers.pain: the answer is above the greatest value 10"
            "\nanswers.fatigue: the answer is not one of the item's options");
  EXPECT_EQ(faults(outcome(MediaType::xml, xml(wrong))), as_json);
  EXPECT_EQ(faults(outcome(MediaType::odm, odm(wrong))), as_json);
}

}  // namespace
}  // namespace vesper
