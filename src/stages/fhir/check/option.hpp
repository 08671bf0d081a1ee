#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/diary.hpp"
#include "model/form.hpp"

namespace vesper {

/// Deepest nesting of a response's items that is followed.
inline constexpr int response_depth_max = 32;

/// Whether two texts are equal. Asks first what mostly differs, or is the same view, without a
/// call: codes of one form share their beginning and differ at the end.
[[nodiscard]] inline bool same_text(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         (a.data() == b.data() || a.empty() || (a.back() == b.back() && a == b));
}

/// The index of the item with this linkId, no_item when the form has none. `guess` is tried first:
/// a response mostly follows the form's order.
[[nodiscard]] std::uint32_t find_item(const Form& form, std::string_view link_id,
                                      std::uint32_t guess);

/// Below this many options a scan is faster than a search.
inline constexpr std::size_t options_scanned_max = 8;

/// The places of `options` in the order of their codes or texts; empty when a scan is faster.
[[nodiscard]] std::vector<std::uint32_t> order_of(std::span<const Option> options);

/// The option that `value` chooses: a coding by system and code, anything else by its text.
///   Shape: `order` as order_of() made it, or empty.
[[nodiscard]] std::optional<std::uint32_t> find_option(std::span<const Option> options,
                                                       std::span<const std::uint32_t> order,
                                                       const Value& value);

/// The options with this code or text, whatever their system, for senders that state no system.
struct OptionMatch {
  std::uint32_t first = 0;
  std::uint32_t count = 0;  ///< 2 stands for two or more
};
[[nodiscard]] OptionMatch find_code(std::span<const Option> options,
                                    std::span<const std::uint32_t> order, std::string_view code);

}  // namespace vesper
