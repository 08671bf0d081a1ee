#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>

namespace vesper::validators {

/// A random but valid form with a random but valid response to it, as a case that golden::run()
/// takes: nested groups, repeats, every item type, awkward text, all authors, amendments, flags.
///   Shape: equal seeds give equal cases.
[[nodiscard]] nlohmann::json random_case(std::uint64_t seed);

}  // namespace vesper::validators
