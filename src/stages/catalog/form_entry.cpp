#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "stages/catalog/questionnaire.hpp"
#include "stages/catalog/trial_reader.hpp"

namespace vesper {
namespace {

/// Reads what a form entry adds to its Questionnaire.
class FormEntry {
 public:
  FormEntry(const JsonValue& entry, std::string path, Lint& lint, Form& form)
      : entry_(entry), path_(std::move(path)), lint_(lint), form_(form) {}

  void read_fields() {
    std::vector<bool> renamed(form_.items.size());
    const JsonValue* fields = lint_.take(entry_, "fields", JsonKind::object, path_);
    const std::string path = path_to(path_, "fields");
    if (fields != nullptr)
      for (const JsonValue& field : *fields) {
        const std::string here = path_to(path, field.name);
        const std::uint32_t item =
            field.is(JsonKind::string) ? form_.index_of(field.text) : no_item;
        if (item == no_item) {
          lint_.error(IssueCode::not_found, here, "This field names no linkId of the form.");
        } else if (form_.items[item].type == ItemType::display) {
          lint_.error(IssueCode::value, here, "A display item takes no answer.");
        } else if (renamed[item]) {
          lint_.error(IssueCode::duplicate, here, "Another field names the same linkId.");
        } else {
          renamed[item] = true;
          form_.by_field.emplace(field.name, item);
        }
      }
    for (std::uint32_t i = 0; i < form_.items.size(); ++i) {
      if (renamed[i] || form_.items[i].type == ItemType::display) continue;
      if (!form_.by_field.try_emplace(form_.items[i].link_id, i).second && fields != nullptr)
        lint_.error(IssueCode::duplicate, path,
                    fmt::format("Field '{0}' is also the linkId of another item: name a field for "
                                "that item too.",
                                form_.items[i].link_id));
    }
  }

  void read_windows() {
    each("windows", [&](const JsonValue& entry, const std::string& path) {
      lint_.warn_unknown(entry, {"opens", "closes", "graceMinutes"}, path);
      Window window{read_clock(entry, "opens", path), read_clock(entry, "closes", path), 0};
      if (const JsonValue* grace = lint_.take(entry, "graceMinutes", JsonKind::number, path)) {
        const auto minutes = whole_number(grace->text);
        if (!minutes || *minutes > grace_minutes_max)
          lint_.error(IssueCode::value, path_to(path, "graceMinutes"),
                      "graceMinutes is a whole number from 0 to 10080.");
        window.grace_minutes = minutes.value_or(0);
      }
      form_.windows.push_back(std::move(window));
    });
  }

  void read_scores() {
    each("scores", [&](const JsonValue& entry, const std::string& path) {
      lint_.warn_unknown(entry, {"id", "code", "unit", "items", "bands"}, path);
      Score score;
      score.id = read_id(entry, "id", path, lint_);
      if (std::ranges::find(form_.scores, score.id, &Score::id) != form_.scores.end())
        lint_.error(IssueCode::duplicate, path_to(path, "id"), "Another score has this id.");
      score.code = read_code(entry, "code", path);
      if (entry.find("unit") != nullptr) score.unit = read_code(entry, "unit", path);
      read_score_items(entry, path, score);
      read_bands(entry, path, score);
      form_.scores.push_back(std::move(score));
    });
  }

  void read_on_invalid() {
    const std::string rule = lint_.text(entry_, "onInvalid", path_);
    if (rule == "hold") form_.on_invalid = OnInvalid::hold;
    if (!rule.empty() && rule != "hold" && rule != "refuse")
      lint_.error(IssueCode::code_invalid, path_to(path_, "onInvalid"),
                  "onInvalid must be refuse or hold.");
  }

 private:
  static constexpr std::uint32_t grace_minutes_max = 7 * 24 * 60;

  template <class Use>
  void each(std::string_view member, Use use) {
    const JsonValue* list = lint_.take(entry_, member, JsonKind::array, path_);
    if (list == nullptr) return;
    std::size_t i = 0;
    for (const JsonValue& element : *list) {
      const std::string path = path_to(path_, member, i++);
      if (element.is(JsonKind::object)) {
        use(element, path);
      } else {
        lint_.error(IssueCode::structure, path, "This must be an object.");
      }
    }
  }

  std::string read_clock(const JsonValue& window, std::string_view member,
                         const std::string& path) {
    std::string time = lint_.required_text(window, member, path);
    const auto digit = [&](std::size_t i) { return time[i] >= '0' && time[i] <= '9'; };
    const bool fits = time.size() == 5 && digit(0) && digit(1) && time[2] == ':' && digit(3) &&
                      digit(4) && time.substr(0, 2) < "24" && time.substr(3) < "60";
    if (!fits && !time.empty())
      lint_.error(IssueCode::value, path_to(path, member), "This is a local time, 00:00 to 23:59.");
    return time;
  }

  Coding read_code(const JsonValue& owner, std::string_view member, const std::string& path) {
    const JsonValue* code = lint_.take(owner, member, JsonKind::object, path);
    if (code == nullptr) {
      if (owner.find(member) == nullptr)
        lint_.error(IssueCode::required, path_to(path, member),
                    fmt::format("{} is missing.", member));
      return {};
    }
    Coding coding = read_coding(*code);
    if (coding.code.empty() || coding.system.empty())
      lint_.error(IssueCode::required, path_to(path, member), "A code needs system and code.");
    return coding;
  }

  void read_score_items(const JsonValue& entry, const std::string& path, Score& score) {
    const JsonValue* items = lint_.take(entry, "items", JsonKind::array, path);
    if (items == nullptr || items->size == 0)
      return lint_.error(IssueCode::required, path_to(path, "items"),
                         "A score sums at least one item.");
    std::size_t i = 0;
    for (const JsonValue& link_id : *items) {
      const std::string here = path_to(path, "items", i++);
      const std::uint32_t item =
          link_id.is(JsonKind::string) ? form_.index_of(link_id.text) : no_item;
      if (item == no_item) {
        lint_.error(IssueCode::not_found, here, "This names no linkId of the form.");
      } else if (!has_score(form_.items[item])) {
        lint_.error(IssueCode::value, here,
                    "This item is no number, and not every option of it has a score.");
      } else if (std::ranges::find(score.items, item) != score.items.end()) {
        lint_.error(IssueCode::duplicate, here, "This item is named twice.");
      } else {
        score.items.push_back(item);
      }
    }
  }

  static bool has_score(const FormItem& item) {
    if (item.type == ItemType::integer || item.type == ItemType::decimal) return true;
    return !item.options.empty() && std::ranges::all_of(item.options, [](const Option& option) {
      return option.score.has_value() || option.kind == Option::Kind::integer;
    });
  }

  void read_bands(const JsonValue& entry, const std::string& path, Score& score) {
    const JsonValue* bands = lint_.take(entry, "bands", JsonKind::array, path);
    if (bands == nullptr) return;
    std::size_t i = 0;
    for (const JsonValue& band : *bands) {
      const std::string here = path_to(path, "bands", i++);
      const JsonValue* low = lint_.take(band, "low", JsonKind::number, here);
      const JsonValue* high = lint_.take(band, "high", JsonKind::number, here);
      if (low == nullptr || high == nullptr) {
        lint_.error(IssueCode::required, here, "A band has the numbers low and high.");
        continue;
      }
      const auto number = [](std::string_view digits) {
        return std::strtod(std::string{digits}.c_str(), nullptr);
      };
      if (number(low->text) > number(high->text))
        lint_.error(IssueCode::value, here, "low is above high.");
      score.bands.push_back(
          {std::string{low->text}, std::string{high->text}, read_code(band, "code", here)});
    }
  }

  const JsonValue& entry_;
  std::string path_;
  Lint& lint_;
  Form& form_;
};

}  // namespace

std::optional<Form> read_form_entry(const JsonValue& entry, std::string_view trial_id,
                                    const std::string& path, Lint& lint) {
  lint.warn_unknown(
      entry, {"id", "version", "questionnaire", "fields", "windows", "onInvalid", "scores"}, path);
  const std::string id = read_id(entry, "id", path, lint);
  const std::string version = read_id(entry, "version", path, lint);
  const JsonValue* questionnaire = entry.find("questionnaire");
  const std::string where = path_to(path, "questionnaire");
  if (questionnaire == nullptr) {
    lint.error(IssueCode::required, where, "questionnaire is missing.");
    return std::nullopt;
  }
  CompiledForm compiled = compile_form(*questionnaire, where);
  for (Issue& issue : compiled.issues) lint.add_issue(std::move(issue));
  if (!compiled.usable) return std::nullopt;
  Form form = std::move(compiled.form);
  if (form.version != version)
    lint.error(IssueCode::value, path_to(where, "version"),
               fmt::format("The Questionnaire's version '{}' is not the form's '{}'.", form.version,
                           version));
  form.id = id;
  form.version = version;
  if (form.url.empty()) form.url = fmt::format("urn:vesper:form:{}:{}", trial_id, id);
  if (!is_absolute_uri(form.url) || form.url.find('|') != std::string::npos)
    lint.error(IssueCode::value, path_to(where, "url"), "url is an absolute URI without '|'.");
  FormEntry reader{entry, path, lint, form};
  reader.read_fields();
  reader.read_windows();
  reader.read_scores();
  reader.read_on_invalid();
  return form;
}

}  // namespace vesper
