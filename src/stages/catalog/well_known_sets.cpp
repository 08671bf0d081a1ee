#include <span>

#include "stages/catalog/value_sets.hpp"

namespace vesper {
namespace {

struct KnownCode {
  std::string_view code, display;
};
struct KnownSet {
  std::string_view canonical, system;
  std::span<const KnownCode> codes;
};

constexpr KnownCode genders[] = {
    {"male", "Male"}, {"female", "Female"}, {"other", "Other"}, {"unknown", "Unknown"}};
constexpr KnownCode item_types[] = {{"group", "Group"},
                                    {"display", "Display"},
                                    {"question", "Question"},
                                    {"boolean", "Boolean"},
                                    {"decimal", "Decimal"},
                                    {"integer", "Integer"},
                                    {"date", "Date"},
                                    {"dateTime", "Date Time"},
                                    {"time", "Time"},
                                    {"string", "String"},
                                    {"text", "Text"},
                                    {"url", "Url"},
                                    {"choice", "Choice"},
                                    {"open-choice", "Open Choice"},
                                    {"attachment", "Attachment"},
                                    {"reference", "Reference"},
                                    {"quantity", "Quantity"}};
constexpr KnownCode yes_no[] = {{"Y", "Yes"}, {"N", "No"}};
constexpr KnownCode do_not_know[] = {{"asked-unknown", "Asked But Unknown"}};

constexpr std::string_view yes_no_system = "http://terminology.hl7.org/CodeSystem/v2-0136";
constexpr KnownSet sets[] = {
    {"http://hl7.org/fhir/ValueSet/administrative-gender",
     "http://hl7.org/fhir/administrative-gender", genders},
    {"http://hl7.org/fhir/ValueSet/item-type", "http://hl7.org/fhir/item-type", item_types},
    {"http://terminology.hl7.org/ValueSet/v2-0136", yes_no_system, yes_no},
    {"http://hl7.org/fhir/ValueSet/yesnodontknow", yes_no_system, yes_no},
    {"http://hl7.org/fhir/ValueSet/yesnodontknow",
     "http://terminology.hl7.org/CodeSystem/data-absent-reason", do_not_know}};

}  // namespace

bool expand_well_known(std::string_view canonical, std::vector<Option>& out) {
  bool known = false;
  const std::string_view url = canonical.substr(0, canonical.find('|'));
  if (url == "http://hl7.org/fhir/ValueSet/jurisdiction") return expand_countries(out);
  for (const KnownSet& set : sets) {
    if (set.canonical != url) continue;
    known = true;
    for (const KnownCode& entry : set.codes) {
      Option option;
      option.coding = {
          std::string{set.system}, {}, std::string{entry.code}, std::string{entry.display}};
      out.push_back(std::move(option));
    }
  }
  return known;
}

}  // namespace vesper
