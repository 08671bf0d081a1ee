#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.hpp"
#include "stages/fhir/bundle/bundle.hpp"
#include "stages/fhir/bundle/json_sink.hpp"
#include "stages/fhir/bundle/plan.hpp"

namespace vesper {

/// A resource's id as text.
struct IdText {
  std::array<char, uuid_chars> chars;
  operator std::string_view() const { return {chars.data(), chars.size()}; }
};

[[nodiscard]] inline IdText text_of(const Uuid& id) {
  IdText text;
  format_uuid(id, text.chars.data());
  return text;
}

inline constexpr std::uint32_t no_option = 0xffffffff;

/// An answer that becomes an Observation.
struct Observed {
  std::uint32_t item = 0;            ///< index into Form::items
  std::uint32_t option = no_option;  ///< index into FormItem::options
  std::uint32_t index = 0;           ///< answers to this item before this one
  const Value* value = nullptr;
};

/// One bundle while it is written: first the response, which finds what is to be observed, then
/// the Observations, then the Provenance that names them all.
struct Draft {
  const BundleInput& in;
  const FhirPlan& plan;
  Arena& arena;
  JsonSink& sink;
  ArenaList<Observed> observed{arena};
  std::span<std::uint32_t> answers_seen{};  ///< for each item of the form
  std::span<IdText> observation_ids{};      ///< for each of observed, then for each score
  IdText response{};                        ///< id of the QuestionnaireResponse
  std::string_view authored{};              ///< FHIR dateTime, empty when the diary states none
  bool authored_is_instant = false;
  std::string_view status{};  ///< of the response
  bool observing = false;     ///< completed or amended
  bool amended = false;
  JsonSink::Written subject{}, author{};  ///< References, written first in the response
};

void put_response(Draft& draft);
void put_observations(Draft& draft);
void put_provenance(Draft& draft);

/// `text` as a part of a urn: other characters than unreserved ones as %XX.
void put_urn_part(JsonSink& sink, std::string_view text);

/// `"system":"<text>"`, where a text that is no absolute URI becomes `urn:vesper:<space>:<text>`.
void put_system(JsonSink& sink, std::string_view space, std::string_view text);

}  // namespace vesper
