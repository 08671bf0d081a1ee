#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "model/form.hpp"

namespace vesper {

/// Everything of a form's bundles that no diary changes, rendered once as JSON.
///   Shape: immutable, shared by every shard; `items` and `scores` run beside those of the form.
struct FhirPlan {
  struct Item {
    std::string response;     ///< `{"linkId":...,"text":...`, left open
    std::string observation;  ///< `"category":...,"code":{...},`; empty: answers are not extracted
    std::vector<std::string> options;         ///< a Coding for each option; empty for other kinds
    std::vector<std::uint32_t> option_order;  ///< of order_of()
    std::string unit;                         ///< `,"unit":...` of questionnaire-unit, or empty
    std::optional<UuidName> observation_0;    ///< name of the first answer's Observation
  };
  struct Scored {
    std::string observation;
    std::string unit;
    std::vector<std::string> interpretations;  ///< one for each band
    UuidName id;
  };
  std::vector<Item> items;
  std::vector<Scored> scores;
  std::string questionnaire;          ///< canonical|version, escaped
  std::size_t bundle_size_guess = 0;  ///< of a diary that answers everything once
};

/// Compiles a form for write_bundle(); put the result into Form::plan before the form is shared.
[[nodiscard]] std::shared_ptr<const FhirPlan> make_plan(const Form& form);

/// Appends `coding` as a JSON object; empty members are left out.
void append_coding(std::string& out, const Coding& coding);

}  // namespace vesper
