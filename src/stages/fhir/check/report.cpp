#include "stages/fhir/check/report.hpp"

#include <fmt/format.h>

#include <utility>

#include "stages/fhir/check/plan.hpp"

namespace vesper {
namespace {

constexpr std::size_t name_bytes_max = 64;

}  // namespace

std::string_view field_of(const Form& form, std::uint32_t item) {
  return form.check_plan->items[item].field;
}

std::string_view shortened(std::string_view name) {
  if (name.size() <= name_bytes_max) return name;
  std::size_t end = name_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
  return name.substr(0, end);
}

void append_issue(Issues& out, std::size_t before, Issue issue) {
  const std::size_t listed = out.size() - before;
  if (listed > issues_max) return;
  if (listed == issues_max)
    issue = {Severity::error,
             IssueCode::processing,
             IssueKind::form,
             fmt::format("further faults are not listed: at most {} are", issues_max),
             {}};
  out.push_back(std::move(issue));
}

void Report::add(Severity severity, IssueCode code, std::string text, std::string expression) {
  append_issue(out_, before_,
               {severity, code, IssueKind::form, std::move(text), std::move(expression)});
}

std::string Report::raw_path(const Node* above, std::uint32_t form_item) const {
  std::string rows;
  for (; above != nullptr; above = above->above) {
    const FormItem& group = form_.items[above->form_item];
    if (group.type == ItemType::group && group.repeats)
      rows = fmt::format("{}[{}].{}", field_of(form_, above->form_item), above->occurrence, rows);
  }
  return fmt::format("answers.{}{}", rows, field_of(form_, form_item));
}

std::string Report::path_of(const Node* node) const {
  if (node == nullptr) return terms_ == Terms::fhir ? "QuestionnaireResponse" : "answers";
  if (terms_ == Terms::raw) {
    std::string path = raw_path(node->above, node->form_item);
    const FormItem& item = form_.items[node->form_item];
    if (item.type == ItemType::group && item.repeats) path += fmt::format("[{}]", node->occurrence);
    return path;
  }
  std::string path = path_of(node->above);
  if (node->above != nullptr && form_.items[node->above->form_item].type != ItemType::group)
    path += fmt::format(".answer[{}]", node->above_answer);
  return path + fmt::format(".item[{}]", node->index);
}

void Report::at(const Node* node, IssueCode code, std::string text) {
  add(Severity::error, code, std::move(text), path_of(node));
}

void Report::at_value(const Node& node, std::uint32_t answer, IssueCode code, std::string text) {
  std::string path = path_of(&node);
  if (terms_ == Terms::fhir)
    path += fmt::format(".answer[{}].value", answer);
  else if (form_.items[node.form_item].repeats || node.item->answers.size() > 1)
    path += fmt::format("[{}]", answer);
  add(Severity::error, code, std::move(text), std::move(path));
}

void Report::at_unknown(const Node* above, std::uint32_t above_answer, std::uint32_t index,
                        IssueCode code, std::string text) {
  std::string path = path_of(above);
  if (terms_ == Terms::fhir) {
    if (above != nullptr && form_.items[above->form_item].type != ItemType::group)
      path += fmt::format(".answer[{}]", above_answer);
    path += fmt::format(".item[{}]", index);
  }
  add(Severity::error, code, std::move(text), std::move(path));
}

void Report::cardinality(const Node* node, const Node* above, std::uint32_t above_answer,
                         std::uint32_t form_item, IssueCode code, std::string text) {
  std::string path;
  if (node != nullptr) {
    path = path_of(node);
  } else if (terms_ == Terms::raw) {
    path = raw_path(above, form_item);
  } else {
    path = path_of(above);
    if (above != nullptr && form_.items[above->form_item].type != ItemType::group)
      path += fmt::format(".answer[{}]", above_answer);
  }
  add(lenient_ ? Severity::warning : Severity::error, code, std::move(text), std::move(path));
}

void Report::warn(std::string expression, IssueCode code, std::string text) {
  add(Severity::warning, code, std::move(text), std::move(expression));
}

}  // namespace vesper
