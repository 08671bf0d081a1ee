#include "stages/catalog/questionnaire.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/wall_time.hpp"
#include "stages/catalog/extensions.hpp"
#include "stages/catalog/item_rules.hpp"
#include "stages/catalog/value_sets.hpp"

namespace vesper {
namespace {

constexpr std::size_t link_id_bytes_max = 255;  // FHIR's advice for linkId

constexpr std::string_view root_members[] = {"resourceType",
                                             "id",
                                             "meta",
                                             "implicitRules",
                                             "language",
                                             "text",
                                             "contained",
                                             "extension",
                                             "modifierExtension",
                                             "url",
                                             "identifier",
                                             "version",
                                             "name",
                                             "title",
                                             "derivedFrom",
                                             "status",
                                             "experimental",
                                             "subjectType",
                                             "date",
                                             "publisher",
                                             "contact",
                                             "description",
                                             "useContext",
                                             "jurisdiction",
                                             "purpose",
                                             "copyright",
                                             "approvalDate",
                                             "lastReviewDate",
                                             "effectivePeriod",
                                             "code",
                                             "item"};
constexpr std::string_view item_members[] = {"id",           "extension",      "modifierExtension",
                                             "linkId",       "definition",     "code",
                                             "prefix",       "text",           "type",
                                             "enableWhen",   "enableBehavior", "required",
                                             "repeats",      "readOnly",       "maxLength",
                                             "answerOption", "answerValueSet", "initial",
                                             "item"};

class Compiler {
 public:
  Compiler(const JsonValue& questionnaire, std::string path)
      : root_(questionnaire), path_(std::move(path)), value_sets_(questionnaire) {}

  CompiledForm compile() {
    CompiledForm out;
    const JsonValue* type = root_.find("resourceType");
    if (!root_.is(JsonKind::object) || type == nullptr || type->text != "Questionnaire") {
      lint_.error(IssueCode::structure, path_, "This must be a FHIR Questionnaire.");
    } else {
      read_head();
      add_items(root_, no_item, find_extract(root_).value_or(false), path_);
      if (form_.items.empty()) lint_.warn(path_to(path_, "item"), "The form asks nothing.");
      for (std::uint32_t i = 0; i < sources_.size(); ++i)
        read_enable_when(*sources_[i].item, i, sources_[i].path, lint_, form_);
      out.usable = true;
    }
    out.form = std::move(form_);
    out.issues = lint_.take_issues();
    return out;
  }

 private:
  struct Source {
    const JsonValue* item;
    std::string path;
  };

  void read_head() {
    lint_.warn_unknown(root_, root_members, path_);
    form_.id = lint_.text(root_, "id", path_);
    form_.url = lint_.text(root_, "url", path_);
    form_.version = lint_.text(root_, "version", path_);
    form_.title = lint_.text(root_, "title", path_);
    form_.questionnaire = root_.text;
    form_.status = lint_.required_text(root_, "status", path_);
    static constexpr std::string_view states[] = {"draft", "active", "retired", "unknown"};
    if (!form_.status.empty() && std::ranges::find(states, form_.status) == std::end(states))
      lint_.error(IssueCode::code_invalid, path_to(path_, "status"),
                  "status must be draft, active, retired or unknown.");
    if (root_.find("modifierExtension") != nullptr)
      lint_.error(IssueCode::not_supported, path_to(path_, "modifierExtension"),
                  "A modifierExtension is not understood.");
    if (const JsonValue* period = lint_.take(root_, "effectivePeriod", JsonKind::object, path_)) {
      form_.effective_from = read_period_end(*period, "start");
      form_.effective_to = read_period_end(*period, "end");
    }
  }

  // A period's end given to the day, month or year includes all of it.
  std::optional<WallTime> read_period_end(const JsonValue& period, std::string_view member) {
    const std::string where = path_to(path_, "effectivePeriod");
    const std::string text = lint_.text(period, member, where);
    if (text.empty()) return std::nullopt;
    const auto parsed = parse_date_time(text);
    if (!parsed) {
      lint_.error(IssueCode::value, path_to(where, member), "This is no FHIR dateTime.");
      return std::nullopt;
    }
    if (member == "start" || parsed->precision >= 19) return parsed->utc;
    using namespace std::chrono;
    const year_month_day day{floor<days>(parsed->utc)};
    const auto next = parsed->precision == 4 ? sys_days{(day.year() + years{1}) / 1 / 1}
                      : parsed->precision == 7
                          ? sys_days{(day.year() / day.month() + months{1}) / 1}
                          : sys_days{day} + days{1};
    return WallTime{next} - milliseconds{1};
  }

  void add_items(const JsonValue& owner, std::uint32_t parent, bool extract,
                 const std::string& path) {
    const JsonValue* list = lint_.take(owner, "item", JsonKind::array, path);
    if (list == nullptr) return;
    std::size_t i = 0;
    for (const JsonValue& element : *list)
      add_item(element, parent, extract, path_to(path, "item", i++));
  }

  void add_item(const JsonValue& element, std::uint32_t parent, bool extract,
                const std::string& path) {
    if (!element.is(JsonKind::object))
      return lint_.error(IssueCode::structure, path, "An item is an object.");
    const auto index = static_cast<std::uint32_t>(form_.items.size());
    FormItem& item = form_.items.emplace_back();
    sources_.push_back({&element, path});
    item.parent = parent;
    item.extract = find_extract(element).value_or(extract);
    const bool extract_inner = item.extract;
    read_item(element, path, item);
    if (!form_.by_link_id.try_emplace(item.link_id, index).second)
      lint_.error(IssueCode::duplicate, path_to(path, "linkId"),
                  fmt::format("que-2: linkId '{}' is used twice.", item.link_id));
    (parent == no_item ? form_.roots : form_.items[parent].children).push_back(index);
    add_items(element, index, extract_inner, path);  // grows form_.items: `item` is stale from here
    form_.items[index].subtree_end = static_cast<std::uint32_t>(form_.items.size());
  }

  void read_item(const JsonValue& element, const std::string& path, FormItem& item) {
    lint_.warn_unknown(element, item_members, path);
    item.link_id = lint_.required_text(element, "linkId", path);
    if (item.link_id.size() > link_id_bytes_max)
      lint_.error(IssueCode::too_long, path_to(path, "linkId"), "linkId has at most 255 bytes.");
    item.text = lint_.text(element, "text", path);
    item.prefix = lint_.text(element, "prefix", path);
    item.required = lint_.flag(element, "required", path);
    item.repeats = lint_.flag(element, "repeats", path);
    item.read_only = lint_.flag(element, "readOnly", path);
    read_type(element, path, item);
    if (element.find("modifierExtension") != nullptr)
      lint_.error(IssueCode::not_supported, path_to(path, "modifierExtension"),
                  "A modifierExtension is not understood.");
    if (const JsonValue* length = lint_.take(element, "maxLength", JsonKind::number, path)) {
      item.max_length = whole_number(length->text);
      if (!item.max_length)
        lint_.error(IssueCode::value, path_to(path, "maxLength"), "maxLength is a whole number.");
    }
    if (const JsonValue* codes = lint_.take(element, "code", JsonKind::array, path))
      for (const JsonValue& code : *codes) item.codes.push_back(read_coding(code));
    read_item_extensions(element, path, lint_, item);
    read_options(element, path, lint_, item);
    read_value_sets(element, path, item);
  }

  void read_type(const JsonValue& element, const std::string& path, FormItem& item) {
    const std::string code = lint_.required_text(element, "type", path);
    const auto type = item_type_of(code);
    if (type) {
      item.type = *type;
      check_item_rules(element, *type, path, lint_);
    } else if (!code.empty()) {
      lint_.error(IssueCode::code_invalid, path_to(path, "type"),
                  fmt::format("'{}' is no item type.", code));
    }
    if (item.type == ItemType::question)
      lint_.error(IssueCode::code_invalid, path_to(path, "type"),
                  "'question' is abstract: name the type of the answer.");
  }

  void read_value_sets(const JsonValue& element, const std::string& path, FormItem& item) {
    item.answer_value_set = lint_.text(element, "answerValueSet", path);
    if (!item.answer_value_set.empty()) {
      item.options_known = value_sets_.expand(item.answer_value_set, item.options);
      if (!item.options_known) warn_unresolved(path_to(path, "answerValueSet"));
    }
    if (item.unit_value_set.empty()) return;
    std::vector<Option> units;
    item.units_known = value_sets_.expand(item.unit_value_set, units);
    if (!item.units_known) warn_unresolved(path_to(path, "extension"));
    for (auto& unit : units) item.unit_options.push_back(std::move(unit.coding));
  }

  void warn_unresolved(std::string where) {
    lint_.warn(std::move(where),
               "The value set cannot be resolved here, so answers to this item will be refused: "
               "put the ValueSet into `contained`.");
  }

  const JsonValue& root_;
  std::string path_;
  ValueSets value_sets_;
  Lint lint_;
  Form form_;
  std::vector<Source> sources_;  // per form_.items
};

}  // namespace

CompiledForm compile_form(const JsonValue& questionnaire, const std::string& path) {
  return Compiler{questionnaire, path}.compile();
}

CompiledForm compile_form(std::string_view questionnaire_json) {
  Arena arena;
  const auto root = parse_json(questionnaire_json, arena);
  if (root) return compile_form(**root, "Questionnaire");
  const auto at = position_of(questionnaire_json, root.error().offset);
  CompiledForm out;
  out.issues.push_back(
      {Severity::fatal, IssueCode::structure, IssueKind::none,
       fmt::format("Not JSON: {} at line {}, column {}.", root.error().reason, at.line, at.column),
       "Questionnaire"});
  return out;
}

}  // namespace vesper
