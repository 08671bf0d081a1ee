#include "stages/fhir/check/value_check.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "stages/fhir/check/attachment.hpp"
#include "stages/fhir/check/number.hpp"
#include "stages/fhir/check/option.hpp"
#include "stages/fhir/check/plan.hpp"
#include "stages/fhir/check/quantity.hpp"
#include "stages/fhir/check/reference.hpp"
#include "stages/fhir/check/temporal.hpp"

namespace vesper {
namespace {

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// The one character that stores behind FHIR servers cannot keep. Other controls, which FHIR advises
// against, come from real keyboards and pass: decision 0141.
bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

bool has_blank(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= 0x20; });
}

// Whether two displays say the same but for the case of Latin letters.
bool same_display(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// One value against one item of the form.
class ValueCheck {
 public:
  ValueCheck(const Form& form, const Node& node, std::uint32_t answer, Report& report)
      : item_(form.items[node.form_item]),
        plan_(form.check_plan->items[node.form_item]),
        value_(node.item->answers[answer].value),
        text_(value_.text.reveal()),
        node_(node),
        answer_(answer),
        report_(report) {}

  void run() {
    for (const PatientText part : {value_.system, value_.display, value_.code})
      if (has_nul(part.reveal()))
        return fault(IssueCode::value, "an answer must not contain U+0000");
    switch (item_.type) {
      case ItemType::group:
      case ItemType::display:
        return;  // told as a fault of structure
      case ItemType::question:
        return fault(IssueCode::structure,
                     "the form's item is an abstract question, which cannot be answered");
      case ItemType::boolean:
        (void)expect(ValueKind::boolean, "a boolean");
        return;
      case ItemType::integer:
        return integer();
      case ItemType::decimal:
        return decimal();
      case ItemType::date:
        return temporal(ValueKind::date, is_date, "a date (YYYY, YYYY-MM or YYYY-MM-DD)");
      case ItemType::date_time:
        return temporal(ValueKind::date_time, is_date_time,
                        "a dateTime (a date, or date and time with an offset)");
      case ItemType::time:
        return temporal(ValueKind::time, is_time, "a time (hh:mm:ss)");
      case ItemType::string:
      case ItemType::text:
        if (expect(ValueKind::string, "a string")) string();
        return;
      case ItemType::url:
        return url();
      case ItemType::choice:
      case ItemType::open_choice:
        return choice();
      case ItemType::attachment:
        if (expect(ValueKind::attachment, "an attachment"))
          check_attachment(item_, value_, teller());
        return;
      case ItemType::reference:
        if (expect(ValueKind::reference, "a reference")) check_reference(item_, value_, teller());
        return;
      case ItemType::quantity:
        return quantity();
    }
  }

 private:
  void fault(IssueCode code, std::string text) {
    report_.at_value(node_, answer_, code, std::move(text));
  }
  FaultTeller teller() {
    return [this](IssueCode code, std::string text) { fault(code, std::move(text)); };
  }

  bool expect(ValueKind kind, std::string_view what) {
    if (value_.kind == kind) return true;
    if (value_.kind == ValueKind::none)
      fault(IssueCode::required, "the answer has no value");
    else
      fault(IssueCode::value, fmt::format("the item takes {}", what));
    return false;
  }

  void listed_and_matching() {
    pattern();
    listed();
  }

  // Items of other types may list their answers too; a coded option then stands for its code.
  void listed() {
    if (!item_.options_known) return unresolved();
    if (!item_.options.empty() && find_code(item_.options, plan_.order, text_).count == 0)
      fault(IssueCode::code_invalid, "the answer is not one of the item's options");
  }
  void unresolved() {
    fault(IssueCode::not_supported,
          fmt::format("the value set {} cannot be resolved", item_.answer_value_set));
  }

  void pattern() {
    if (plan_.pattern_broken)
      fault(IssueCode::not_supported, "the item's regular expression cannot be evaluated");
    else if (plan_.pattern && !re2::RE2::FullMatch({text_.data(), text_.size()}, *plan_.pattern))
      fault(IssueCode::invalid, "the answer does not match the item's regular expression");
  }

  void length() {
    if (item_.max_length && text_.size() > *item_.max_length &&
        code_points(text_) > *item_.max_length)
      fault(IssueCode::too_long,
            fmt::format("the answer is longer than {} characters", *item_.max_length));
    if (item_.min_length && code_points(text_) < *item_.min_length)
      fault(IssueCode::invalid,
            fmt::format("the answer is shorter than {} characters", *item_.min_length));
  }

  void string() {
    if (text_.empty()) return fault(IssueCode::value, "a string must not be empty");
    if (has_nul(text_)) return fault(IssueCode::value, "a string must not contain U+0000");
    length();
    if (!plan_.plain) listed_and_matching();
  }

  void url() {
    if (!expect(ValueKind::uri, "a url")) return;
    if (text_.empty() || has_blank(text_))
      return fault(IssueCode::value, "a url must not be empty or contain blanks");
    length();
    if (!plan_.plain) listed_and_matching();
  }

  void integer() {
    if (!expect(ValueKind::integer, "an integer")) return;
    const auto number = parse_integer(text_);
    if (!number) return fault(IssueCode::value, "the item takes an integer of 32 bits, in digits");
    const bool within =
        plan_.least && plan_.most && *plan_.least <= *number && *number <= *plan_.most;
    if (!within) numeric_bounds();
    if (!plan_.plain) listed_and_matching();
  }

  void decimal() {
    if (!expect(ValueKind::decimal, "a decimal")) return;
    const auto number = Decimal::parse(text_);
    if (!number)
      return fault(
          IssueCode::value,
          fmt::format("the item takes a decimal of at most {} characters, its exponent at most {}",
                      decimal_chars_max, decimal_exponent_max));
    places(*number);
    numeric_bounds();
    if (!plan_.plain) listed_and_matching();
  }

  void places(const Decimal& number) {
    if (item_.max_decimal_places &&
        number.places() > static_cast<int>(std::min(*item_.max_decimal_places, 1000U)))
      fault(IssueCode::invalid,
            fmt::format("the answer has more than {} decimal places", *item_.max_decimal_places));
  }

  void numeric_bounds() {
    const auto order = [&](const Bound& bound) -> std::optional<std::strong_ordering> {
      const auto number = Decimal::parse(text_), limit = Decimal::parse(bound.text);
      if (!number || !limit) return {};
      return *number <=> *limit;
    };
    bounds(order);
  }

  void temporal(ValueKind kind, bool (*grammar)(std::string_view), std::string_view what) {
    if (!expect(kind, what)) return;
    if (!grammar(text_)) return fault(IssueCode::value, fmt::format("the item takes {}", what));
    bounds([&](const Bound& bound) { return compare_temporal(text_, bound.text); });
    if (!plan_.plain) listed_and_matching();
  }

  // `order` compares the answer with a bound: nothing when the two cannot be compared.
  template <class Order>
  void bounds(Order order) {
    if (item_.min_value) {
      const auto found = order(*item_.min_value);
      if (!found) incomparable("least", *item_.min_value);
      if (found && *found < 0)
        fault(IssueCode::invalid,
              fmt::format("the answer is below the least value {}", shown(*item_.min_value)));
    }
    if (item_.max_value) {
      const auto found = order(*item_.max_value);
      if (!found) incomparable("greatest", *item_.max_value);
      if (found && *found > 0)
        fault(IssueCode::invalid,
              fmt::format("the answer is above the greatest value {}", shown(*item_.max_value)));
    }
  }
  static std::string shown(const Bound& bound) {
    const auto& unit = bound.unit.code.empty() ? bound.unit.display : bound.unit.code;
    return unit.empty() ? bound.text : fmt::format("{} {}", bound.text, unit);
  }
  void incomparable(std::string_view which, const Bound& bound) {
    fault(IssueCode::invalid,
          fmt::format("the answer cannot be compared with the {} value {}", which, shown(bound)));
  }

  void quantity() {
    if (!expect(ValueKind::quantity, "a quantity")) return;
    if (!value_.has_value) return fault(IssueCode::required, "the quantity has no value");
    const auto number = Decimal::parse(text_);
    if (!number) return fault(IssueCode::value, "the quantity's value is not a decimal");
    if (!check_unit(item_, value_, teller())) return;
    if (!value_.comparator.empty() && (item_.min_value || item_.max_value))
      return fault(IssueCode::invalid,
                   "a quantity with a comparator cannot be held against the item's limits");
    places(*number);
    bounds([&](const Bound& bound) { return compare_quantity(value_, bound.text, bound.unit); });
  }

  void choice() {
    const bool open = item_.type == ItemType::open_choice;
    if (value_.kind == ValueKind::string && open) {
      if (text_.empty() || has_nul(text_))
        return fault(IssueCode::value, "a string must not be empty or contain U+0000");
      length();
      return pattern();
    }
    const bool primitive = value_.kind == ValueKind::string || value_.kind == ValueKind::integer ||
                           value_.kind == ValueKind::date || value_.kind == ValueKind::time ||
                           value_.kind == ValueKind::reference;
    if (!(primitive && !plan_.choice_of_codes) &&
        !expect(ValueKind::coding, open ? "a coding or a string" : "a coding"))
      return;
    if (text_.empty()) return fault(IssueCode::value, "the coding has no code");
    if (has_nul(text_)) return fault(IssueCode::value, "a code must not contain U+0000");
    if (!item_.options_known) return unresolved();
    if (item_.options.empty()) return;
    if (const auto found = find_option(item_.options, plan_.order, value_))
      display(item_.options[*found]);
    else
      not_an_option();
  }

  // Only the displays of standard code systems are known to be the only right ones: a trial may
  // word its own options as it likes.
  void display(const Option& option) {
    const std::string_view system = option.coding.system;
    if (item_.answer_value_set.empty() || value_.display.empty() || option.coding.display.empty())
      return;
    if (!system.starts_with("http://hl7.org/fhir/") && system != "urn:iso:std:iso:3166") return;
    if (!same_display(option.coding.display, value_.display.reveal()))
      fault(IssueCode::invalid, "the display is not the one of the code");
  }

  void not_an_option() {
    const bool bare = value_.kind == ValueKind::coding && value_.system.empty();
    if (bare && find_code(item_.options, plan_.order, text_).count > 1)
      fault(IssueCode::code_invalid,
            "several options have this code: its system must be stated as well");
    else
      fault(IssueCode::code_invalid, "the answer is not one of the item's options");
  }

  const FormItem& item_;
  const ItemPlan& plan_;
  const Value& value_;
  std::string_view text_;
  const Node& node_;
  std::uint32_t answer_;
  Report& report_;
};

}  // namespace

void check_value(const Form& form, const Node& node, std::uint32_t answer, Report& report) {
  ValueCheck{form, node, answer, report}.run();
}

}  // namespace vesper
