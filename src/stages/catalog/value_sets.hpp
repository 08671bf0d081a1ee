#pragma once
#include <expected>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "model/form.hpp"

namespace vesper {

/// Expands value sets from what a Questionnaire contains and a few that FHIR itself defines.
///   Shape:  `#id` or the canonical of a contained ValueSet: its expansion, or its compose over
///   listed concepts, contained CodeSystems and further resolvable sets.
///   Bounds: eight levels of imports, 1,000 sets looked at in all.
///   Errors: nothing when a part cannot be known here (a filter, a foreign system or set).
class ValueSets {
 public:
  explicit ValueSets(const JsonValue& questionnaire) : questionnaire_(questionnaire) {}
  [[nodiscard]] bool expand(std::string_view canonical, std::vector<Option>& out);

 private:
  bool expand(std::string_view canonical, std::vector<Option>& out, int depth);
  bool expand_set(const JsonValue& set, std::vector<Option>& out, int depth);
  bool expand_part(const JsonValue& part, std::vector<Option>& out, int depth);
  bool expand_system(std::string_view system, std::vector<Option>& out) const;
  [[nodiscard]] const JsonValue* find_contained(std::string_view type,
                                                std::string_view canonical) const;

  const JsonValue& questionnaire_;
  int sets_left_ = 1000;
};

/// Codes of a value set that FHIR R4 defines and that is small; false when it is not known here.
[[nodiscard]] bool expand_well_known(std::string_view canonical, std::vector<Option>& out);

/// The countries of ISO 3166-1 by their two letters, for FHIR's jurisdiction; its subdivisions are
/// not held.
bool expand_countries(std::vector<Option>& out);

}  // namespace vesper
