#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.hpp"

namespace vesper {

/// Lets a map keyed by std::string be asked with a view, without a copy.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
using TextIndex = std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>;

enum class ItemType : std::uint8_t {
  group,
  display,
  question,
  boolean,
  decimal,
  integer,
  date,
  date_time,
  time,
  string,
  text,
  url,
  choice,
  open_choice,
  attachment,
  reference,
  quantity
};

struct Coding {
  std::string system, version, code, display;
  friend bool operator==(const Coding&, const Coding&) = default;
};

/// One permitted answer (answerOption or a code of an expanded answerValueSet).
struct Option {
  enum class Kind : std::uint8_t {
    coding,
    string,
    integer,
    date,
    time,
    reference
  } kind = Kind::coding;
  Coding coding;                     ///< Kind::coding
  std::string text;                  ///< the others, as written
  std::optional<std::string> score;  ///< ordinalValue (or itemWeight), digits as written
  bool exclusive = false;            ///< questionnaire-optionExclusive
};

struct EnableWhen {
  enum class Operator : std::uint8_t {
    exists,
    equal,
    not_equal,
    greater,
    less,
    greater_equal,
    less_equal
  };
  std::uint32_t question = 0;  ///< index into Form::items
  Operator op = Operator::exists;
  ItemType answer_type = ItemType::boolean;
  bool boolean = false;
  std::string text;  ///< the answer as written, but for boolean, coding and quantity
  Coding coding;     ///< coding; for quantity: system, code, display = unit
};

/// A bound as written, with its type: minValue and maxValue may be integer, decimal, date,
/// dateTime, time or quantity.
struct Bound {
  ItemType type = ItemType::decimal;
  std::string text;
  Coding unit;  ///< quantity
};

inline constexpr std::uint32_t no_item = 0xffffffff;

/// One item of a compiled Questionnaire.
struct FormItem {
  std::string link_id, text, prefix;
  ItemType type = ItemType::group;
  std::uint32_t parent = no_item;       ///< index into Form::items
  std::uint32_t subtree_end = 0;        ///< one past the last descendant (items are in pre-order)
  std::vector<std::uint32_t> children;  ///< in order
  bool required = false, repeats = false, read_only = false, hidden = false;
  bool enable_any = false;  ///< enableBehavior any
  std::vector<EnableWhen> enable_when;
  std::vector<Option> options;   ///< answerOption, or the expansion of answerValueSet
  std::string answer_value_set;  ///< canonical as written
  bool options_known = true;     ///< false: a value set that could not be resolved
  std::optional<std::uint32_t> max_length, min_length, max_decimal_places, min_occurs, max_occurs;
  std::optional<std::string> regex;
  std::optional<Bound> min_value, max_value;
  std::optional<std::uint64_t> max_size_bytes;
  std::vector<std::string> mime_types;
  std::optional<Coding> unit;        ///< questionnaire-unit: a number becomes valueQuantity
  std::vector<Coding> unit_options;  ///< questionnaire-unitOption, or the expansion of unitValueSet
  std::string unit_value_set;        ///< questionnaire-unitValueSet, canonical as written
  bool units_known = true;           ///< false: a unit value set that could not be resolved
  std::vector<std::string> reference_types;  ///< questionnaire-referenceResource; empty: any
  std::vector<Coding> codes;
  bool extract = false;                    ///< observationExtract, own or inherited
  std::vector<Coding> extract_categories;  ///< sdc observation-extract-category
};

/// A sum over coded or numeric answers, reported as an Observation of its own (PHQ-9's total).
struct ScoreBand {
  std::string low, high;  ///< both included, as written
  Coding meaning;         ///< Observation.interpretation
};
struct Score {
  std::string id;  ///< stable name, part of the Observation's id
  Coding code;
  std::vector<std::uint32_t> items;  ///< questions whose option scores or numbers are summed
  std::optional<Coding> unit;
  std::vector<ScoreBand> bands;
};

/// When a diary of this form is due; used for flags (late, duplicate-in-window) by the custody
/// issue.
struct Window {
  std::string opens, closes;  ///< local time HH:MM
  std::uint32_t grace_minutes = 0;
};

enum class OnInvalid : std::uint8_t { refuse, hold };

struct FhirPlan;   // model/fhir_plan.hpp
struct CheckPlan;  // stages/fhir/check/plan.hpp

/// One published form version, compiled. Immutable; shared by every shard.
///   Shape:  `items` in pre-order, roots have parent no_item; every index in it is in range.
///   Source: made by stages/catalog from a FHIR R4 Questionnaire that passed que-1 to que-13.
struct Form {
  std::string id, version;         ///< as the trial document names them
  std::string url, title, status;  ///< Questionnaire.url (or a urn made from trial and form), title
  std::string questionnaire;       ///< the Questionnaire's JSON as published
  std::vector<FormItem> items;
  std::vector<std::uint32_t> roots;
  TextIndex by_link_id;
  TextIndex by_field;  ///< raw names; the linkId itself by default
  std::vector<Score> scores;
  std::vector<Window> windows;
  std::optional<WallTime> effective_from, effective_to;
  OnInvalid on_invalid = OnInvalid::refuse;
  std::shared_ptr<const FhirPlan> plan;  ///< set by stages/fhir once, before the form is shared
  std::shared_ptr<const CheckPlan> check_plan;  ///< likewise, by make_check_plan()

  [[nodiscard]] std::uint32_t index_of(std::string_view link_id) const {  ///< no_item: unknown
    const auto it = by_link_id.find(link_id);
    return it == by_link_id.end() ? no_item : it->second;
  }
  [[nodiscard]] std::uint32_t index_of_field(std::string_view field) const {  ///< no_item: unknown
    const auto it = by_field.find(field);
    return it == by_field.end() ? no_item : it->second;
  }
};

}  // namespace vesper
