#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace vesper {

/// A remote issuer's last good key set, as it lies on disk.
///   Shape: `vesper kept keys 1`, the time of the fetch in Unix milliseconds, the location, and the
///   set as it came; the first three end with a newline.
struct KeptKeys {
  WallTime fetched_at{};
  std::string location{};
  std::string key_set{};
};

[[nodiscard]] std::string write_kept_keys(const KeptKeys& kept);
[[nodiscard]] std::optional<KeptKeys> read_kept_keys(std::string_view text);

}  // namespace vesper
