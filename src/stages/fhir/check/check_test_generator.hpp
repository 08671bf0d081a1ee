#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "stages/fhir/check/check_test_form.hpp"
#include "stages/fhir/check/plan.hpp"

namespace vesper::test {

/// Random forms and responses that keep every rule of them.
///   Bounds: at most three levels and some thirty items.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {
    level(no_item, 0);
    Issues ignored;
    make_.form().check_plan = make_check_plan(make_.form(), ignored);
  }
  [[nodiscard]] const Form& form() { return make_.form(); }
  Form& form_to_change() { return make_.form(); }
  Random& random() { return random_; }

  /// A response in which every rule is kept.
  std::span<ResponseItem> response() {
    answered_.assign(form().items.size(), false);
    return respond(form().roots);
  }

 private:
  void level(std::uint32_t parent, int depth) {
    const std::uint64_t count = 2 + random_.below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto type = pick_type(depth);
      auto& item = make_.add(fmt::format("i{}", make_.form().items.size()), type, parent);
      const std::uint32_t index = make_.last();
      item.required = type != ItemType::display && random_.chance(0.4);
      item.repeats = type != ItemType::display && random_.chance(0.3);
      if (item.repeats && random_.chance(0.5)) item.max_occurs = 3;
      limit(item);
      condition(item, parent, index);
      const bool nested = type == ItemType::group || (depth < 2 && random_.chance(0.15));
      if (nested && type != ItemType::display) level(index, depth + 1);
      // Nothing could be answered in it, so requiring it could not be met.
      if (type == ItemType::group && all_displays(index))
        make_.form().items[index].required = false;
    }
  }
  ItemType pick_type(int depth) {
    static constexpr ItemType types[] = {
        ItemType::boolean, ItemType::integer, ItemType::decimal, ItemType::date,
        ItemType::time,    ItemType::string,  ItemType::choice,  ItemType::open_choice,
        ItemType::url,     ItemType::text,    ItemType::display, ItemType::quantity};
    if (depth < 2 && random_.chance(0.25)) return ItemType::group;
    return types[random_.below(std::size(types))];
  }
  void limit(FormItem& item) {
    if (item.type == ItemType::integer) {
      item.min_value = {ItemType::integer, "0", {}};
      item.max_value = {ItemType::integer, "10", {}};
    }
    if (item.type == ItemType::decimal) item.max_decimal_places = 2;
    if (item.type == ItemType::string) item.max_length = 8;
    if (item.type == ItemType::choice || item.type == ItemType::open_choice)
      for (int i = 0, count = random_.chance(0.2) ? 40 : 4; i < count; ++i)
        item.options.push_back(coded(fmt::format("c{}", i)));
    if (item.type == ItemType::quantity) item.unit_options = {{"urn:u", {}, "u", "unit"}};
  }
  // Items at the root may depend on an earlier question at the root.
  void condition(FormItem& item, std::uint32_t parent, std::uint32_t index) {
    if (parent != no_item || make_.form().roots.size() < 2 || !random_.chance(0.3)) return;
    const auto question = make_.form().roots[random_.below(make_.form().roots.size() - 1)];
    const ItemType type = make_.form().items[question].type;
    if (question >= index || type == ItemType::group || type == ItemType::display) return;
    EnableWhen when;
    when.question = question;
    when.boolean = random_.chance(0.5);
    item.enable_when = {when};
  }

  std::span<ResponseItem> respond(const std::vector<std::uint32_t>& items) {
    std::vector<ResponseItem> out;
    for (const std::uint32_t index : items) {
      const FormItem& item = form().items[index];
      bool enabled = true;
      for (const auto& when : item.enable_when) enabled = answered_[when.question] == when.boolean;
      if (!enabled || item.type == ItemType::display) continue;
      if (!item.required && random_.chance(0.3)) continue;
      const std::uint64_t times = item.repeats ? 1 + random_.below(3) : 1;
      answered_[index] = true;
      if (item.type == ItemType::group)
        for (std::uint64_t i = 0; i < times; ++i) group(index, out);
      else
        question(index, times, out);
    }
    const auto copy = arena_.array<ResponseItem>(out.size());
    std::copy(out.begin(), out.end(), copy.begin());
    return copy;
  }
  void group(std::uint32_t index, std::vector<ResponseItem>& out) {
    ResponseItem made;
    made.link_id = PatientText{form().items[index].link_id};
    do made.items = respond(form().items[index].children);
    while (made.items.empty() && form().items[index].required);  // it needs a child
    made.has_item_member = !made.items.empty();
    out.push_back(made);
  }
  bool all_displays(std::uint32_t index) {
    return std::ranges::all_of(form().items[index].children, [&](std::uint32_t child) {
      return form().items[child].type == ItemType::display;
    });
  }
  void question(std::uint32_t index, std::uint64_t times, std::vector<ResponseItem>& out) {
    ResponseItem made;
    made.link_id = PatientText{form().items[index].link_id};
    made.answers = arena_.array<ResponseAnswer>(times);
    made.has_answer_member = true;
    for (auto& answer : made.answers) {
      answer.value = value(form().items[index]);
      answer.items = respond(form().items[index].children);
    }
    out.push_back(made);
  }
  static constexpr std::string_view eight_wide = "痛痛痛痛痛痛痛痛";  // three bytes each

  Value value(const FormItem& item) {
    const auto digits = [&](std::uint64_t below) {
      return arena_.copy(std::to_string(random_.below(below)));
    };
    switch (item.type) {
      case ItemType::boolean:
        return yes_or_no(random_.chance(0.5));
      case ItemType::integer:
        return value_of(ValueKind::integer, digits(11));
      case ItemType::decimal:
        return value_of(ValueKind::decimal, arena_.copy(fmt::format("-{}.{:02}", random_.below(90),
                                                                    random_.below(100))));
      case ItemType::date:
        return value_of(ValueKind::date,
                        arena_.copy(fmt::format("2026-{:02}-{:02}", 1 + random_.below(12),
                                                1 + random_.below(28))));
      case ItemType::time:
        return value_of(ValueKind::time,
                        arena_.copy(fmt::format("{:02}:30:00", random_.below(24))));
      case ItemType::string:
        return value_of(ValueKind::string, eight_wide.substr(0, 3 * (1 + random_.below(8))));
      case ItemType::url:
        return value_of(ValueKind::uri, "https://example.org/");
      case ItemType::quantity: {
        return quantity_of(digits(1000), "unit", "urn:u", "u");
      }
      case ItemType::open_choice:
        if (random_.chance(0.3)) return value_of(ValueKind::string, "in own words");
        [[fallthrough]];
      case ItemType::choice: {
        const auto& coding = item.options[random_.below(item.options.size())].coding;
        return coding_of(coding.code, coding.system);
      }
      default:
        return value_of(ValueKind::string, "text\nof lines");
    }
  }

  Random random_;
  FormMaker make_;
  Arena arena_;
  std::vector<bool> answered_;
};

}  // namespace vesper::test
