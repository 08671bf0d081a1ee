#include "io/clock/system_clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace vesper {

Instant SystemClock::now() const {
  return Instant{
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

WallTime SystemClock::wall() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

asio::awaitable<bool> SystemClock::sleep_until(Instant when) {
  // Asked first, since awaiting anything in a cancelled coroutine throws.
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) co_return false;
  if (when <= now()) co_return true;
  asio::steady_timer timer{co_await asio::this_coro::executor,
                           std::chrono::steady_clock::time_point{when.time_since_epoch()}};
  const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return !error;
}

}  // namespace vesper
