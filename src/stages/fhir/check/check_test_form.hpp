#pragma once
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/arena.hpp"
#include "model/diary.hpp"
#include "model/form.hpp"

namespace vesper::test {

/// Builds a Form by hand, in pre-order, for the tests of this folder.
class FormMaker {
 public:
  /// Adds an item under `parent` and returns it for further settings.
  ///   Shape: the reference lives until the next add().
  FormItem& add(std::string link_id, ItemType type, std::uint32_t parent = no_item) {
    const auto index = static_cast<std::uint32_t>(form_.items.size());
    FormItem item;
    item.link_id = link_id;
    item.type = type;
    item.parent = parent;
    form_.items.push_back(std::move(item));
    (parent == no_item ? form_.roots : form_.items[parent].children).push_back(index);
    for (std::uint32_t i = index; i != no_item; i = form_.items[i].parent)
      form_.items[i].subtree_end = index + 1;
    form_.by_field[link_id] = index;
    form_.by_link_id[std::move(link_id)] = index;
    return form_.items.back();
  }
  [[nodiscard]] std::uint32_t last() const {
    return static_cast<std::uint32_t>(form_.items.size() - 1);
  }
  Form& form() { return form_; }

 private:
  Form form_;
};

inline Option coded(std::string code, std::string score = {}, std::string system = "urn:test") {
  Option option;
  option.coding = {std::move(system), {}, std::move(code), {}};
  option.coding.display = "Display of " + option.coding.code;
  if (!score.empty()) option.score = std::move(score);
  return option;
}

inline Value value_of(ValueKind kind, std::string_view text) {
  Value value;
  value.kind = kind;
  value.text = PatientText{text};
  return value;
}

inline Value coding_of(std::string_view code, std::string_view system = "urn:test") {
  Value value = value_of(ValueKind::coding, code);
  value.system = PatientText{system};
  return value;
}

inline Value yes_or_no(bool yes) {
  Value value;
  value.kind = ValueKind::boolean;
  value.boolean = yes;
  return value;
}

inline Value quantity_of(std::string_view digits, std::string_view unit, std::string_view system,
                         std::string_view code) {
  Value value = value_of(ValueKind::quantity, digits);
  value.display = PatientText{unit};
  value.system = PatientText{system};
  value.code = PatientText{code};
  return value;
}

/// Builds the items of a response in an arena of its own.
class ResponseMaker {
 public:
  std::span<ResponseItem> items(std::initializer_list<ResponseItem> list) {
    const auto copy = arena_.array<ResponseItem>(list.size());
    std::copy(list.begin(), list.end(), copy.begin());
    return copy;
  }
  std::span<ResponseAnswer> answers(std::initializer_list<Value> values,
                                    std::span<ResponseItem> below = {}) {
    const auto copy = arena_.array<ResponseAnswer>(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) copy[i] = {values.begin()[i], below};
    return copy;
  }
  ResponseItem question(std::string_view link_id, std::initializer_list<Value> values,
                        std::span<ResponseItem> below = {}) {
    return {PatientText{link_id}, {}, answers(values, below), {}, true, false};
  }
  ResponseItem group(std::string_view link_id, std::initializer_list<ResponseItem> children) {
    return {PatientText{link_id}, {}, {}, items(children), false, children.size() > 0};
  }
  Arena& arena() { return arena_; }

 private:
  Arena arena_;
};

}  // namespace vesper::test
