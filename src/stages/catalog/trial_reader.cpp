#include "stages/catalog/trial_reader.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "stages/catalog/timezones.hpp"

namespace vesper {
namespace {

constexpr std::size_t id_bytes_max = 64, title_bytes_max = 256;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

class TrialReader {
 public:
  explicit TrialReader(const JsonValue& document) : root_(document) {}

  TrialDraft read() {
    if (!root_.is(JsonKind::object)) {
      lint_.error(IssueCode::structure, {}, "The trial document must be a JSON object.");
    } else {
      lint_.warn_unknown(root_,
                         {"$schema", "id", "title", "status", "timezone", "destinations", "sites",
                          "subjectSystem", "forms", "rates"},
                         {});
      read_head();
      read_destinations();
      read_sites();
      read_forms();
      read_rates();
    }
    return {std::move(trial_), std::move(forms_), lint_.take_issues()};
  }

 private:
  void read_head() {
    trial_.document = root_.text;
    trial_.id = read_id(root_, "id", {}, lint_);
    trial_.title = lint_.text(root_, "title", {});
    if (trial_.title.size() > title_bytes_max)
      lint_.error(IssueCode::too_long, "title", "title has at most 256 bytes.");
    trial_.timezone = lint_.required_text(root_, "timezone", {});
    check_timezone(trial_.timezone, "timezone");
    trial_.subject_system = lint_.text(root_, "subjectSystem", {});
    if (!trial_.subject_system.empty() && !is_absolute_uri(trial_.subject_system))
      lint_.error(IssueCode::value, "subjectSystem", "subjectSystem is an absolute URI.");
    const std::string status = lint_.text(root_, "status", {});
    if (status == "draft") trial_.status = TrialStatus::draft;
    if (status == "closed") trial_.status = TrialStatus::closed;
    if (!status.empty() && status != "draft" && status != "active" && status != "closed")
      lint_.error(IssueCode::code_invalid, "status", "status must be draft, active or closed.");
  }

  void check_timezone(const std::string& name, std::string path) {
    if (!name.empty() && !is_timezone(name))
      lint_.error(IssueCode::value, std::move(path),
                  fmt::format("'{}' is no IANA time zone.", name));
  }

  // Calls `use` for each element of a list member, with its path.
  template <class Use>
  void each(std::string_view member, JsonKind kind, Use use) {
    const JsonValue* list = lint_.take(root_, member, JsonKind::array, {});
    if (list == nullptr) return;
    std::size_t i = 0;
    for (const JsonValue& element : *list) {
      const std::string path = path_to({}, member, i++);
      if (element.is(kind)) {
        use(element, path);
      } else {
        lint_.error(
            IssueCode::structure, path,
            kind == JsonKind::string ? "This must be a string." : "This must be an object.");
      }
    }
  }

  void require(std::string_view member) {
    if (root_.find(member) == nullptr)
      lint_.error(IssueCode::required, std::string{member}, fmt::format("{} is missing.", member));
  }

  void read_destinations() {
    require("destinations");
    each("destinations", JsonKind::string, [&](const JsonValue& name, const std::string& path) {
      if (!is_catalog_id(name.text))
        return lint_.error(IssueCode::value, path, "This is no name of a destination.");
      if (std::ranges::find(trial_.destinations, name.text) != trial_.destinations.end())
        return lint_.error(IssueCode::duplicate, path, "This destination is named twice.");
      trial_.destinations.emplace_back(name.text);
    });
  }

  void read_sites() {
    std::set<std::string, std::less<>> seen;
    each("sites", JsonKind::object, [&](const JsonValue& entry, const std::string& path) {
      lint_.warn_unknown(entry, {"id", "name", "timezone"}, path);
      Site site{read_id(entry, "id", path, lint_), lint_.text(entry, "name", path),
                lint_.text(entry, "timezone", path)};
      check_timezone(site.timezone, path_to(path, "timezone"));
      if (!site.id.empty() && !seen.insert(site.id).second)
        lint_.error(IssueCode::duplicate, path_to(path, "id"),
                    fmt::format("Site '{}' is given twice.", site.id));
      trial_.sites.push_back(std::move(site));
    });
  }

  void read_forms() {
    require("forms");
    std::set<std::pair<std::string, std::string>> names, canonicals;
    each("forms", JsonKind::object, [&](const JsonValue& entry, const std::string& path) {
      auto form = read_form_entry(entry, trial_.id, path, lint_);
      if (!form) return;
      if (!names.emplace(form->id, form->version).second)
        lint_.error(IssueCode::duplicate, path,
                    fmt::format("Form '{}' version '{}' is given twice.", form->id, form->version));
      if (!canonicals.emplace(form->url, form->version).second)
        lint_.error(IssueCode::duplicate, path_to(path, "questionnaire.url"),
                    "Two forms have this canonical and version.");
      forms_.push_back(std::move(*form));
    });
  }

  void read_rates() {
    const JsonValue* rates = lint_.take(root_, "rates", JsonKind::object, {});
    if (rates == nullptr) return;
    lint_.warn_unknown(*rates, {"patientPerMinute", "patientPerDay", "trialPerSecond"}, "rates");
    trial_.rates.patient_per_minute = read_rate(*rates, "patientPerMinute");
    trial_.rates.trial_per_second = read_rate(*rates, "trialPerSecond");
    if (const JsonValue* day = lint_.take(*rates, "patientPerDay", JsonKind::number, "rates")) {
      trial_.rates.patient_per_day = whole_number(day->text);
      if (!trial_.rates.patient_per_day || *trial_.rates.patient_per_day == 0)
        lint_.error(IssueCode::value, "rates.patientPerDay", "This is a whole number from 1.");
    }
  }

  std::optional<double> read_rate(const JsonValue& rates, std::string_view member) {
    const JsonValue* value = lint_.take(rates, member, JsonKind::number, "rates");
    if (value == nullptr) return std::nullopt;
    const double rate = std::strtod(std::string{value->text}.c_str(), nullptr);
    if (rate > 0 && rate <= 1e9) return rate;
    lint_.error(IssueCode::value, path_to("rates", member), "A rate is above 0, at most 1e9.");
    return std::nullopt;
  }

  const JsonValue& root_;
  Lint lint_;
  Trial trial_;
  std::vector<Form> forms_;
};

}  // namespace

bool is_catalog_id(std::string_view text) {
  return !text.empty() && text.size() <= id_bytes_max && is_alphanumeric(text.front()) &&
         std::ranges::all_of(text, [](char c) {
           return is_alphanumeric(c) || c == '.' || c == '_' || c == '-' || c == '~';
         });
}

bool is_absolute_uri(std::string_view text) {
  const auto colon = text.find(':');
  return colon != std::string_view::npos && colon != 0 && colon + 1 != text.size() &&
         std::ranges::all_of(
             text.substr(0, colon),
             [](char c) { return is_alphanumeric(c) || c == '+' || c == '-' || c == '.'; }) &&
         std::ranges::none_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

std::string read_id(const JsonValue& object, std::string_view member, const std::string& path,
                    Lint& lint) {
  std::string id = lint.required_text(object, member, path);
  if (!id.empty() && !is_catalog_id(id))
    lint.error(IssueCode::value, path_to(path, member),
               fmt::format("{} has 1 to 64 letters, digits, '.', '_', '-', '~' and begins with a "
                           "letter or digit.",
                           member));
  return id;
}

TrialDraft read_trial(const JsonValue& document) {
  return TrialReader{document}.read();
}

}  // namespace vesper
