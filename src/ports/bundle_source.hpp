#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "model/journal.hpp"

namespace vesper {

enum class BundleFault : std::uint8_t {
  not_derivable,  ///< this diary never becomes a bundle: it is parked and alerted
  not_yet         ///< what judged it is not loaded (its trial, its form): tried again later
};

/// The bundle owed for a stored diary, rebuilt by the same pure code that judged it at intake.
///   Shape: equal diaries give equal bytes. `out` is replaced; its capacity is reused.
///   Thread: the delivery thread; never blocks, never throws.
class BundleSource {
 public:
  virtual ~BundleSource() = default;
  virtual std::expected<void, BundleFault> derive(const StoredDiary& diary, std::string& out) = 0;
};

}  // namespace vesper
