#pragma once
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "ports/clock.hpp"

namespace vesper::test {

/// Time that moves only when a test says so.
///   Thread: the io_context's.
class ManualClock : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] WallTime wall() const override {
    return WallTime{std::chrono::milliseconds{1'764'000'000'000}} +
           std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch());
  }
  asio::awaitable<bool> sleep_until(Instant when) override {
    if (when <= now_) co_return true;
    // In the coroutine's frame: it goes with it, also when its io_context ends first.
    Sleeper sleeper{*this, when, co_await asio::this_coro::executor};
    boost::system::error_code error;
    co_await sleeper.timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    co_return sleeper.reached;
  }
  void advance(Duration by) {
    now_ += by;
    for (auto* sleeper : sleepers_) {
      if (sleeper->when > now_) continue;
      sleeper->reached = true;
      sleeper->timer.cancel();
    }
  }

 private:
  struct Sleeper {
    template <class Executor>
    Sleeper(ManualClock& of, Instant until, const Executor& executor)
        : clock(of), when(until), timer(executor) {
      timer.expires_at(asio::steady_timer::time_point::max());
      clock.sleepers_.push_back(this);
    }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;
    ~Sleeper() { clock.sleepers_.remove(this); }
    ManualClock& clock;
    Instant when;
    asio::steady_timer timer;
    bool reached = false;
  };
  Instant now_{std::chrono::hours{1}};
  std::list<Sleeper*> sleepers_;
};

}  // namespace vesper::test
