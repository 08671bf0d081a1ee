#pragma once
#include <boost/asio/awaitable.hpp>

#include "base/time.hpp"

namespace vesper {

namespace asio = boost::asio;

/// The only source of time. Real in io/clock, virtual in sim.
///   Thread: any; now() and wall() never block.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual WallTime wall() const = 0;
  /// Completes at `when`, at once if it has passed, on the caller's executor.
  ///   Errors: false when cancelled (asio per-operation cancellation) before.
  virtual asio::awaitable<bool> sleep_until(Instant when) = 0;
};

}  // namespace vesper
