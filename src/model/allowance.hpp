#pragma once
#include <cstdint>

namespace vesper {

/// What one request took of its caller's and its trial's allowances, so that it can be given back.
///   Shape:  names are keyed hashes of verified names; 0: nothing was taken there.
struct Charge {
  std::uint64_t quota = 0, own = 0, own_interval = 0, trial = 0, trial_interval = 0;
  bool decided = false;  ///< allowances were asked, whether or not anything is limited

  [[nodiscard]] bool any() const { return (quota | own | trial) != 0; }
};

}  // namespace vesper
