#include "stages/fhir/check/option.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "stages/fhir/check/number.hpp"

namespace vesper {
namespace {

std::string_view key_of(const Option& option) {
  return option.kind == Option::Kind::coding ? option.coding.code : option.text;
}

bool same_kind(Option::Kind kind, ValueKind value) {
  switch (kind) {
    case Option::Kind::coding:
      return value == ValueKind::coding;
    case Option::Kind::string:
      return value == ValueKind::string;
    case Option::Kind::integer:
      return value == ValueKind::integer;
    case Option::Kind::date:
      return value == ValueKind::date;
    case Option::Kind::time:
      return value == ValueKind::time;
    case Option::Kind::reference:
      return value == ValueKind::reference;
  }
  return false;
}

// Calls `take` with each option of this key until it answers true.
template <class Take>
void each_with_key(std::span<const Option> options, std::span<const std::uint32_t> order,
                   std::string_view key, Take take) {
  if (order.empty()) {
    for (std::uint32_t i = 0; i < options.size(); ++i)
      if (same_text(key_of(options[i]), key) && take(i)) return;
    return;
  }
  const auto at = [&](std::uint32_t i) { return key_of(options[i]); };
  auto it = std::ranges::lower_bound(order, key, {}, at);
  for (; it != order.end() && at(*it) == key; ++it)
    if (take(*it)) return;
}

}  // namespace

std::uint32_t find_item(const Form& form, std::string_view link_id, std::uint32_t guess) {
  if (guess < form.items.size() && same_text(form.items[guess].link_id, link_id)) return guess;
  return form.index_of(link_id);
}

std::vector<std::uint32_t> order_of(std::span<const Option> options) {
  if (options.size() <= options_scanned_max) return {};
  std::vector<std::uint32_t> order(options.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return std::pair{key_of(options[i]), i}; });
  return order;
}

std::optional<std::uint32_t> find_option(std::span<const Option> options,
                                         std::span<const std::uint32_t> order, const Value& value) {
  std::optional<std::uint32_t> found;
  each_with_key(options, order, value.text.reveal(), [&](std::uint32_t i) {
    if (!same_kind(options[i].kind, value.kind)) return false;
    if (value.kind == ValueKind::coding &&
        !same_text(options[i].coding.system, value.system.reveal()))
      return false;
    found = i;
    return true;
  });
  return found;
}

OptionMatch find_code(std::span<const Option> options, std::span<const std::uint32_t> order,
                      std::string_view code) {
  OptionMatch match;
  each_with_key(options, order, code, [&](std::uint32_t i) {
    if (match.count++ == 0) match.first = i;
    return match.count == 2;
  });
  return match;
}

}  // namespace vesper
