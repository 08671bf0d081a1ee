#include "stages/catalog/questionnaire.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/wall_time.hpp"

namespace vesper {
namespace {

namespace fs = std::filesystem;

std::string questionnaire(const std::string& items, const std::string& head = "") {
  return R"({"resourceType":"Questionnaire","status":"active",)" + head + R"("item":[)" + items +
         "]}";
}

CompiledForm compiled(const std::string& items, const std::string& head = "") {
  return compile_form(questionnaire(items, head));
}

// Errors as `path: text`, one a line.
std::string errors_of(const CompiledForm& out) {
  std::string lines;
  for (const auto& issue : out.issues)
    if (is_fault(issue)) lines += issue.expression + ": " + issue.diagnostics + "\n";
  return lines;
}

std::string errors(const std::string& items, const std::string& head = "") {
  return errors_of(compiled(items, head));
}

bool breaks(const std::string& items, const std::string& rule) {
  const std::string found = errors(items);
  EXPECT_NE(found.find(rule + ":"), std::string::npos) << items << "\n" << found;
  return std::ranges::count(found, '\n') == 1;
}

TEST(Questionnaire, ItemsKeepTheirOrderAndNesting) {
  const auto out = compiled(R"({"linkId":"g","type":"group","repeats":true,"item":[
      {"linkId":"a","type":"integer","required":true,"item":[{"linkId":"a1","type":"text"}]},
      {"linkId":"b","type":"boolean","text":"B?","prefix":"2.","readOnly":true}]},
    {"linkId":"c","type":"decimal","code":[{"system":"s","code":"x","display":"X"}]})");
  EXPECT_EQ(errors_of(out), "");
  ASSERT_TRUE(out.usable);
  const Form& form = out.form;
  ASSERT_EQ(form.items.size(), 5u);
  EXPECT_EQ(form.roots, (std::vector<std::uint32_t>{0, 4}));
  EXPECT_EQ(form.items[0].children, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(form.items[0].subtree_end, 4u);
  EXPECT_EQ(form.items[1].subtree_end, 3u);
  EXPECT_EQ(form.items[2].parent, 1u);
  EXPECT_TRUE(form.items[1].required);
  EXPECT_EQ(form.items[3].prefix, "2.");
  EXPECT_EQ(form.items[4].codes.at(0).display, "X");
  EXPECT_EQ(form.index_of("b"), 3u);
  EXPECT_EQ(form.index_of("none"), no_item);
}

TEST(Questionnaire, EachInvariantIsNamedByItsNumber) {
  EXPECT_TRUE(breaks(R"({"linkId":"g","type":"group"})", "que-1"));
  EXPECT_TRUE(breaks(R"({"linkId":"d","type":"display","item":[{"linkId":"e","type":"display"}]})",
                     "que-1"));
  EXPECT_TRUE(breaks(R"({"linkId":"a","type":"text"},{"linkId":"a","type":"text"})", "que-2"));
  EXPECT_TRUE(breaks(R"({"linkId":"d","type":"display","code":[{"code":"x"}]})", "que-3"));
  EXPECT_TRUE(breaks(
      R"({"linkId":"c","type":"choice","answerValueSet":"#x","answerOption":[{"valueString":"a"}]})",
      "que-4"));
  EXPECT_TRUE(breaks(R"({"linkId":"c","type":"boolean","answerValueSet":"#x"})", "que-5"));
  EXPECT_TRUE(breaks(R"({"linkId":"d","type":"display","required":false})", "que-6"));
  EXPECT_TRUE(breaks(R"({"linkId":"a","type":"text"},{"linkId":"b","type":"text","enableWhen":
      [{"question":"a","operator":"exists","answerString":"x"}]})",
                     "que-7"));
  EXPECT_TRUE(
      breaks(R"({"linkId":"d","type":"display","initial":[{"valueString":"x"}]})", "que-8"));
  EXPECT_TRUE(breaks(R"({"linkId":"d","type":"display","readOnly":true})", "que-9"));
  EXPECT_TRUE(breaks(R"({"linkId":"d","type":"date","maxLength":3})", "que-10"));
  EXPECT_TRUE(breaks(
      R"({"linkId":"c","type":"choice","answerOption":[{"valueString":"a"}],
          "initial":[{"valueString":"a"}]})",
      "que-11"));
  const std::string when = R"({"question":"a","operator":"exists","answerBoolean":true})";
  EXPECT_TRUE(breaks(R"({"linkId":"a","type":"text"},{"linkId":"b","type":"text","enableWhen":[)" +
                         when + "," + when + "]}",
                     "que-12"));
  EXPECT_TRUE(
      breaks(R"({"linkId":"a","type":"text","initial":[{"valueString":"a"},{"valueString":"b"}]})",
             "que-13"));
}

TEST(Questionnaire, PathsLeadToTheFault) {
  EXPECT_EQ(errors(R"({"linkId":"g","type":"group","item":[{"linkId":"a","type":"number"}]})"),
            "Questionnaire.item[0].item[0].type: 'number' is no item type.\n");
  EXPECT_EQ(errors(R"({"type":"text"})"), "Questionnaire.item[0].linkId: linkId is missing.\n");
  EXPECT_EQ(errors(R"({"linkId":"a","type":"question"})"),
            "Questionnaire.item[0].type: 'question' is abstract: name the type of the answer.\n");
  EXPECT_EQ(errors_of(compile_form("{\"resourceType\":\"Patient\"}")),
            "Questionnaire: This must be a FHIR Questionnaire.\n");
  EXPECT_FALSE(compile_form("{").usable);
  EXPECT_EQ(errors(R"({"linkId":")" + std::string(255, 'l') + R"(","type":"text"})"), "");
  EXPECT_EQ(errors(R"({"linkId":")" + std::string(256, 'l') + R"(","type":"text"})"),
            "Questionnaire.item[0].linkId: linkId has at most 255 bytes.\n");
}

TEST(Questionnaire, EnableWhenNamesAnItemOutsideItself) {
  const auto with = [](const std::string& question) {
    return errors(R"({"linkId":"a","type":"text"},{"linkId":"b","type":"group",
      "enableWhen":[{"question":")" +
                  question + R"(","operator":"=","answerString":"x"}],
      "item":[{"linkId":"c","type":"text"}]})");
  };
  EXPECT_EQ(with("a"), "");
  EXPECT_EQ(with("nowhere"),
            "Questionnaire.item[1].enableWhen[0].question: "
            "There is no item with linkId 'nowhere'.\n");
  for (const char* inner : {"b", "c"})
    EXPECT_EQ(with(inner),
              "Questionnaire.item[1].enableWhen[0].question: "
              "An item cannot depend on itself or on its inner items.\n");
}

TEST(Questionnaire, EnableWhenIsCompiledWithItsTypes) {
  const auto out = compiled(R"({"linkId":"z","type":"text","enableBehavior":"any","enableWhen":[
      {"question":"n","operator":">=","answerInteger":4},
      {"question":"q","operator":"<","answerQuantity":{"value":5.50,"unit":"kg","system":"u"}},
      {"question":"c","operator":"!=","answerCoding":{"system":"s","code":"k"}},
      {"question":"n","operator":"exists","answerBoolean":false}]},
    {"linkId":"n","type":"integer"},{"linkId":"q","type":"quantity"},
    {"linkId":"c","type":"choice","answerOption":[{"valueCoding":{"system":"s","code":"k"}}]})");
  EXPECT_EQ(errors_of(out), "");
  const auto& when = out.form.items[0].enable_when;
  ASSERT_EQ(when.size(), 4u);
  EXPECT_TRUE(out.form.items[0].enable_any);
  EXPECT_EQ(when[0].question, 1u) << "a later item may be the target";
  EXPECT_EQ(when[0].op, EnableWhen::Operator::greater_equal);
  EXPECT_EQ(when[0].text, "4");
  EXPECT_EQ(when[1].text, "5.50");
  EXPECT_EQ(when[1].coding.display, "kg");
  EXPECT_EQ(when[2].coding.code, "k");
  EXPECT_FALSE(when[3].boolean);
}

TEST(Questionnaire, OptionsKeepScoresAndKinds) {
  const auto out = compiled(R"({"linkId":"c","type":"open-choice","answerOption":[
      {"valueCoding":{"system":"s","code":"a","display":"A"},"extension":[
        {"url":"http://hl7.org/fhir/StructureDefinition/ordinalValue","valueDecimal":1.50}]},
      {"valueCoding":{"code":"b","extension":[
        {"url":"http://hl7.org/fhir/StructureDefinition/itemWeight","valueDecimal":2}]}},
      {"valueInteger":7},{"valueDate":"2026-01-01"},{"valueTime":"10:00:00"},{"valueString":"s",
       "extension":[{"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive",
                     "valueBoolean":true}]}]})");
  EXPECT_EQ(errors_of(out), "");
  const auto& options = out.form.items[0].options;
  ASSERT_EQ(options.size(), 6u);
  EXPECT_EQ(options[0].score, "1.50");
  EXPECT_EQ(options[1].score, "2");
  EXPECT_EQ(options[2].text, "7");
  EXPECT_EQ(options[2].kind, Option::Kind::integer);
  EXPECT_TRUE(options[5].exclusive);
  EXPECT_EQ(errors(R"({"linkId":"c","type":"choice","answerOption":[{}]})"),
            "Questionnaire.item[0].answerOption[0]: An answerOption has one value: Coding, string, "
            "integer, date, time or Reference.\n");
}

std::string codes_of(const std::string& contained, const std::string& canonical) {
  const auto out =
      compiled(R"({"linkId":"c","type":"choice","answerValueSet":")" + canonical + R"("})",
               R"("contained":[)" + contained + "],");
  std::string codes = out.form.items.at(0).options_known ? "" : "unknown";
  if (out.form.items[0].options_known)
    for (const auto& option : out.form.items[0].options) codes += option.coding.code + " ";
  return codes;
}

TEST(Questionnaire, ValueSetsAreExpandedFromWhatIsContained) {
  const std::string system =
      R"({"resourceType":"CodeSystem","url":"urn:cs","content":"complete","concept":[
          {"code":"a","concept":[{"code":"a1"}]},{"code":"b"}]})";
  const std::string all =
      R"({"resourceType":"ValueSet","id":"v","url":"urn:vs","version":"2",
          "compose":{"include":[{"system":"urn:cs"}],
                     "exclude":[{"system":"urn:cs","concept":[{"code":"b"}]}]}})";
  EXPECT_EQ(codes_of(system + "," + all, "#v"), "a a1 ");
  EXPECT_EQ(codes_of(system + "," + all, "urn:vs|2"), "a a1 ");
  EXPECT_EQ(codes_of(system + "," + all, "urn:vs|3"), "unknown");
  EXPECT_EQ(codes_of(all, "#v"), "unknown");
  EXPECT_EQ(codes_of(R"({"resourceType":"ValueSet","id":"v","expansion":{"contains":[
      {"abstract":true,"code":"x","contains":[{"system":"s","code":"y"}]},{"code":"z"}]}})",
                     "#v"),
            "y z ");
  EXPECT_EQ(codes_of(R"({"resourceType":"ValueSet","id":"v","compose":{"include":[
      {"system":"s","filter":[{"property":"p","op":"=","value":"1"}]}]}})",
                     "#v"),
            "unknown");
  EXPECT_EQ(codes_of(R"({"resourceType":"ValueSet","id":"v","compose":{"include":[
      {"valueSet":["#v"]}]}})",
                     "#v"),
            "unknown")
      << "a set that imports itself ends";
  std::string many = R"({"resourceType":"ValueSet","id":"v","compose":{"include":[)";
  for (int i = 0; i < 40; ++i) many += R"({"valueSet":["#v"]},)";
  EXPECT_EQ(codes_of(many + R"({"valueSet":["#v"]}]}})", "#v"), "unknown")
      << "forty imports of itself, eight deep, end as soon";
  EXPECT_EQ(codes_of("", "http://hl7.org/fhir/ValueSet/administrative-gender"),
            "male female other unknown ");
}

TEST(Questionnaire, ExtensionsBoundTheAnswers) {
  const auto extension = [](const std::string& name, const std::string& value) {
    return R"({"url":"http://hl7.org/fhir/StructureDefinition/)" + name + "\"," + value + "}";
  };
  const auto out =
      compiled(R"({"linkId":"x","type":"decimal","maxLength":9,"extension":[)" +
               extension("minValue", R"("valueDecimal":0.10)") + "," +
               extension("maxValue", R"("valueInteger":10)") + "," +
               extension("maxDecimalPlaces", R"("valueInteger":2)") + "," +
               extension("questionnaire-unit",
                         R"("valueCoding":{"system":"http://unitsofmeasure.org","code":"h"})") +
               "]}," + R"({"linkId":"y","type":"string","extension":[)" +
               extension("regex", R"("valueString":"[a-z]+")") + "," +
               extension("minLength", R"("valueInteger":1)") + "," +
               extension("questionnaire-minOccurs", R"("valueInteger":1)") + "," +
               extension("questionnaire-maxOccurs", R"("valueInteger":3)") + "," +
               extension("questionnaire-hidden", R"("valueBoolean":true)") + "]}," +
               R"({"linkId":"z","type":"attachment","extension":[)" +
               extension("mimeType", R"("valueCode":"image/png")") + "," +
               extension("maxSize", R"("valueDecimal":1572864)") + "]}");
  EXPECT_EQ(errors_of(out), "");
  const auto& items = out.form.items;
  EXPECT_EQ(items[0].min_value->text, "0.10");
  EXPECT_EQ(items[0].max_value->type, ItemType::integer);
  EXPECT_EQ(items[0].max_decimal_places, 2u);
  EXPECT_EQ(items[0].max_length, 9u);
  EXPECT_EQ(items[0].unit->code, "h");
  EXPECT_EQ(items[1].regex, "[a-z]+");
  EXPECT_EQ(items[1].min_length, 1u);
  EXPECT_EQ(items[1].min_occurs, 1u);
  EXPECT_EQ(items[1].max_occurs, 3u);
  EXPECT_TRUE(items[1].hidden);
  EXPECT_EQ(items[2].mime_types.at(0), "image/png");
  EXPECT_EQ(items[2].max_size_bytes, 1'572'864u);
}

TEST(Questionnaire, ARegexThatCannotRunIsReported) {
  const std::string found = errors(R"({"linkId":"y","type":"string","extension":[
      {"url":"http://hl7.org/fhir/StructureDefinition/regex","valueString":"(?=a)b"}]})");
  EXPECT_NE(found.find("The regex cannot be used"), std::string::npos) << found;
}

TEST(Questionnaire, ExtractionIsInheritedFromTheNearestAncestor) {
  const auto flag = [](const char* value) {
    return std::string(R"("extension":[{"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/)") +
           R"(sdc-questionnaire-observationExtract","valueBoolean":)" + value + "}],";
  };
  const auto out =
      compiled("{" + flag("false") + R"("linkId":"g","type":"group","item":[{)" + flag("true") +
                   R"("linkId":"a","type":"text"},{"linkId":"b","type":"text"}]},
               {"linkId":"c","type":"text"})",
               flag("true"));
  const auto& items = out.form.items;
  EXPECT_FALSE(items[0].extract);
  EXPECT_TRUE(items[1].extract);
  EXPECT_FALSE(items[2].extract);
  EXPECT_TRUE(items[3].extract);
}

TEST(Questionnaire, AnEffectivePeriodIncludesItsLastDay) {
  const auto end_of = [](const std::string& end) {
    const auto out = compiled(R"({"linkId":"a","type":"text"})",
                              R"("effectivePeriod":{"start":"2026-01-01","end":")" + end + "\"},");
    return out.form.effective_to ? to_string(*out.form.effective_to) : errors_of(out);
  };
  EXPECT_EQ(end_of("2026-02"), "2026-02-28T23:59:59.999Z");
  EXPECT_EQ(end_of("2026"), "2026-12-31T23:59:59.999Z");
  EXPECT_EQ(end_of("2026-12-31"), "2026-12-31T23:59:59.999Z");
  EXPECT_EQ(end_of("2026-06-01T10:00:00+02:00"), "2026-06-01T08:00:00.000Z");
  EXPECT_NE(end_of("soon").find("no FHIR dateTime"), std::string::npos);
}

TEST(Questionnaire, ThePublicCasesCompile) {
  const char* source = std::getenv("VESPER_SOURCE");
  const char* set = std::getenv("VESPER_CORPORA");
  const fs::path folder =
      (set != nullptr ? std::string(set)
                      : std::string(source == nullptr ? "." : source) + "/../shared/corpora") +
      "/fhir-questionnaire";
  if (!fs::exists(folder)) GTEST_SKIP() << "corpus absent: " << folder;
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with("-q.json")) continue;
    ++count;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto out = compile_form(text);
    EXPECT_TRUE(out.usable) << name;
    if (name == "abstract-question-type-included-q.json") {
      EXPECT_NE(errors_of(out), "");
    } else {
      EXPECT_EQ(errors_of(out), "") << name;
    }
  }
  EXPECT_EQ(count, 49);
}

}  // namespace
}  // namespace vesper
