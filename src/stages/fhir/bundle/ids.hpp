#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/uuid.hpp"

namespace vesper {

/// Ids of a bundle's resources: UUIDv5 in the namespace of the deliveryId, named by role, linkId
/// and index, so that a repeated delivery writes the same resources again.
///   Shape: `index` counts the answers of one linkId through the whole diary, from 0.
///   Why:   part of mapper 1: never to be changed (decision 0140).
[[nodiscard]] Uuid response_id(const Uuid& delivery_id);
[[nodiscard]] Uuid observation_id(const Uuid& delivery_id, std::string_view link_id,
                                  std::uint32_t index);
[[nodiscard]] Uuid score_observation_id(const Uuid& delivery_id, std::string_view score_id);
[[nodiscard]] Uuid provenance_id(const Uuid& delivery_id);

/// The names that the ids above are made of.
[[nodiscard]] std::string observation_name(std::string_view link_id, std::uint32_t index);
[[nodiscard]] std::string score_observation_name(std::string_view score_id);
inline constexpr std::string_view response_name = "QuestionnaireResponse";
inline constexpr std::string_view provenance_name = "Provenance";

}  // namespace vesper
