#include "stages/fhir/bundle/ids.hpp"

#include <fmt/format.h>

namespace vesper {

// The index stands before the linkId, which may itself contain a bar: no two names are equal.
std::string observation_name(std::string_view link_id, std::uint32_t index) {
  return fmt::format("Observation|{}|{}", index, link_id);
}

std::string score_observation_name(std::string_view score_id) {
  return fmt::format("Score|{}", score_id);
}

Uuid response_id(const Uuid& delivery_id) {
  return uuid_v5(delivery_id, response_name);
}
Uuid observation_id(const Uuid& delivery_id, std::string_view link_id, std::uint32_t index) {
  return uuid_v5(delivery_id, observation_name(link_id, index));
}
Uuid score_observation_id(const Uuid& delivery_id, std::string_view score_id) {
  return uuid_v5(delivery_id, score_observation_name(score_id));
}
Uuid provenance_id(const Uuid& delivery_id) {
  return uuid_v5(delivery_id, provenance_name);
}

}  // namespace vesper
