#pragma once
#include "ports/clock.hpp"

namespace vesper {

/// The machine's clocks: CLOCK_MONOTONIC and CLOCK_REALTIME.
///   Thread: any. A sleep runs on the awaiting coroutine's executor and ends with it.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] WallTime wall() const override;
  asio::awaitable<bool> sleep_until(Instant when) override;
};

}  // namespace vesper
