#include "validators/bundle_variety.hpp"

#include <array>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace vesper::validators {
namespace {

using nlohmann::json;

constexpr const char* own_codes = "https://vesper.example/codes";
constexpr const char* ucum = "http://unitsofmeasure.org";
constexpr const char* core = "http://hl7.org/fhir/StructureDefinition/";
constexpr const char* sdc = "http://hl7.org/fhir/uv/sdc/StructureDefinition/";

const std::vector<std::string>& texts() {
  static const std::vector<std::string> list{"plain",
                                             "  kept blanks ",
                                             "a \"quoted\" word",
                                             "back\\slash",
                                             "line\nbreak\tand tab",
                                             "夜 and 痛み",
                                             "مساء الخير",
                                             "😀👩‍👩‍👧",
                                             "Zürich \u0301",
                                             "<b>not</b> & 'html'",
                                             "{\"json\":1}",
                                             "\u2028 lines \u2029",
                                             "0",
                                             "null",
                                             std::string(2000, 'x')};
  return list;
}

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed), seed_(seed) {}

  json make() {
    json items = json::array(), answers = json::array();
    const std::uint64_t count = 2 + random_.below(9);
    for (std::uint64_t i = 0; i < count; ++i) add_item(0, false, items, answers);
    const std::string name = "random-" + std::to_string(seed_);
    const std::string url = "https://vesper.example/Questionnaire/" + name;
    json questionnaire{{"resourceType", "Questionnaire"},
                       {"url", url},
                       {"version", "1"},
                       {"name", "Random"},
                       {"title", name},
                       {"status", "active"},
                       {"item", items}};
    json response{
        {"resourceType", "QuestionnaireResponse"},
        {"questionnaire", url + "|1"},
        {"status", random_.chance(0.2) ? "amended" : "completed"},
        {"language", pick<const char*>({"en", "zh-CN", "de-AT", "ar", "pt-BR"})},
        {"subject", {{"identifier", {{"value", pick<const char*>({"S-1", "夜 \"7\"", "a\\b"})}}}}},
        {"authored", pick<const char*>({"2026-11-20T20:14:05+08:00", "2026-02-28T23:59:59.999Z",
                                        "2024-02-29T00:00:00.1-11:30"})}};
    if (!answers.empty()) response["item"] = answers;
    return wrap(questionnaire, response);
  }

 private:
  template <class T>
  T pick(const std::vector<T>& from) {
    return from[random_.below(from.size())];
  }

  json wrap(const json& questionnaire, const json& response) {
    json out{{"trial", "RANDOM " + std::to_string(seed_)},
             {"type", "application/fhir+json"},
             {"submissionId", "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b"},
             {"deliveryId", "6ba7b810-9dad-51d1-80b4-00c04fd430c8"},
             {"receivedAt", "2026-11-20T12:14:06.001Z"},
             {"contentHash", std::string(64, 'a')},
             {"source", response.dump()},
             {"form", {{"id", "random"}, {"questionnaire", questionnaire}}},
             {"flags", random_.chance(0.2) ? random_.below(8) : 0}};
    if (random_.chance(0.3)) out["subjectSystem"] = "https://trial.example/subjects";
    if (random_.chance(0.3))
      out["caller"] = {{"role", pick<const char*>({"site", "service"})},
                       {"issuer", pick<const char*>({"https://id.example", "urn:x:y", "an id"})},
                       {"subject", pick<const char*>({"nurse-7", "ü \"1\""})}};
    return out;
  }

  json start_item(const char* type, bool observe) {
    const std::string link = "i" + std::to_string(++items_);
    json item{{"linkId", link}, {"type", type}, {"text", pick(texts())}};
    if (!observe) return item;
    item["extension"] = {{{"url", std::string{sdc} + "sdc-questionnaire-observationExtract"},
                          {"valueBoolean", true}}};
    item["code"] = {{{"system", own_codes}, {"code", link}, {"display", "Code " + link}}};
    return item;
  }

  void add_group(int depth, json& items, json& answers) {
    json item = start_item("group", false);
    const bool repeats = random_.chance(0.4);
    item["repeats"] = repeats;
    json children = json::array(), given = json::array();
    const std::uint64_t count = 1 + random_.below(4);
    for (std::uint64_t i = 0; i < count; ++i) add_item(depth + 1, false, children, given);
    item["item"] = children;
    items.push_back(item);
    if (given.empty()) return;
    const std::uint64_t rows = repeats ? 1 + random_.below(3) : 1;
    for (std::uint64_t i = 0; i < rows; ++i)
      answers.push_back({{"linkId", item["linkId"]}, {"item", given}});
  }

  void add_item(int depth, bool below_question, json& items, json& answers) {
    static const std::vector<const char*> types{
        "boolean", "integer", "decimal", "date",   "dateTime",    "time",       "string",
        "text",    "url",     "choice",  "choice", "open-choice", "attachment", "quantity"};
    if (depth < 3 && !below_question && random_.chance(0.2))
      return add_group(depth, items, answers);
    if (random_.chance(0.05)) {
      items.push_back(start_item("display", false));
      return;
    }
    const std::string type = pick(types);
    json item = start_item(type.c_str(), random_.chance(0.7));
    const bool repeats = type != "boolean" && random_.chance(0.3);
    if (repeats) item["repeats"] = true;
    prepare(type, item);
    json given = json::array();
    if (random_.chance(0.8)) {
      const std::uint64_t count = repeats ? 1 + random_.below(3) : 1;
      for (std::uint64_t i = 0; i < count; ++i) given.push_back(answer(type, i));
    }
    if (depth < 3 && random_.chance(0.1)) {
      json children = json::array(), below = json::array();
      add_item(depth + 1, true, children, below);
      item["item"] = children;
      if (!given.empty() && !below.empty()) given[0]["item"] = below;
    }
    items.push_back(item);
    if (!given.empty()) answers.push_back({{"linkId", item["linkId"]}, {"answer", given}});
  }

  void prepare(const std::string& type, json& item) {
    if (type == "choice" || type == "open-choice") {
      item["answerOption"] = json::array();
      for (int i = 0; i < 12; ++i) item["answerOption"].push_back({{"valueCoding", option(i)}});
    }
    const bool number = type == "integer" || type == "decimal";
    if (number && random_.chance(0.4))
      item["extension"].push_back(
          {{"url", std::string{core} + "questionnaire-unit"},
           {"valueCoding", {{"system", ucum}, {"code", "h"}, {"display", "hours"}}}});
  }

  static json option(int i) {
    return {{"system", i % 2 == 0 ? "https://vesper.example/even" : "https://vesper.example/odd"},
            {"code", "o" + std::to_string(i)},
            {"display", "Option \"" + std::to_string(i) + "\""}};
  }

  // `index` keeps the answers of one item different where its type must not repeat a value.
  json answer(const std::string& type, std::uint64_t index) {
    if (type == "boolean") return {{"valueBoolean", random_.chance(0.5)}};
    if (type == "integer") return {{"valueInteger", pick<int>({0, -1, 10, 2147483647})}};
    if (type == "decimal") return {{"valueDecimal", pick<double>({0.5, -36.6, 1e-3, 12345.25})}};
    if (type == "date")
      return {{"valueDate", pick<const char*>({"2026", "2026-11", "2026-11-20"})}};
    if (type == "dateTime")
      return {{"valueDateTime", pick<const char*>({"2026", "2026-11-20T01:02:03Z",
                                                   "2026-11-20T01:02:03.123456+05:45"})}};
    if (type == "time") return {{"valueTime", pick<const char*>({"00:00:00", "23:59:59"})}};
    if (type == "string" || type == "text") return {{"valueString", pick(texts())}};
    if (type == "url")
      return {{"valueUri",
               pick<const char*>({"https://a.example/?q=\"x\"", "urn:oid:2.16.840.1.113883"})}};
    if (type == "attachment")
      return {{"valueAttachment",
               {{"contentType", "image/png"},
                {"data", "iVBORw0KGgo="},
                {"size", 8},
                {"title", pick(texts())}}}};
    if (type == "quantity")
      return {{"valueQuantity",
               {{"value", pick<double>({1.5, 70.25})},
                {"unit", "kilogram"},
                {"system", ucum},
                {"code", "kg"}}}};
    if (type == "open-choice" && random_.chance(0.4)) return {{"valueString", pick(texts())}};
    json coding = option(static_cast<int>(random_.below(4) + 4 * index));
    if (random_.chance(0.3)) coding.erase("display");
    return {{"valueCoding", coding}};
  }

  Random random_;
  std::uint64_t seed_;
  int items_ = 0;
};

}  // namespace

json random_case(std::uint64_t seed) {
  return Generator{seed}.make();
}

}  // namespace vesper::validators
