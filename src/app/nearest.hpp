#pragma once
#include <span>
#include <string_view>

namespace vesper {

/// The candidate a mistyped name was probably meant to be; empty when none is near.
///   Bounds: at most a third of the name's characters may differ (insert, delete, replace).
[[nodiscard]] std::string_view nearest(std::string_view name,
                                       std::span<const std::string_view> candidates);

}  // namespace vesper
