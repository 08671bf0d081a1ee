#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "ports/clock.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {

/// How finish_by() meets its work again: on one executor.
template <class T>
struct FinishedWork {
  std::optional<T> result;
  asio::cancellation_signal ended;

  static asio::awaitable<void> carry_out(std::shared_ptr<FinishedWork> here,
                                         asio::awaitable<T> work) {
    here->result = co_await std::move(work);
    here->ended.emit(asio::cancellation_type::terminal);
  }
  static asio::awaitable<bool> sleep(std::shared_ptr<FinishedWork> here, Clock& clock,
                                     Deadline deadline) {
    co_await asio::this_coro::throw_if_cancelled(false);
    if (here->result) co_return true;
    co_return co_await clock.sleep_until(deadline.at);
  }
  static asio::awaitable<std::optional<T>> meet(TaskScope scope, asio::any_io_executor executor,
                                                Clock& clock, StaticText name, Deadline deadline,
                                                asio::awaitable<T> work) {
    const auto here = std::make_shared<FinishedWork>();
    scope.spawn(executor, name, deadline, carry_out(here, std::move(work)));
    (void)co_await scope.call(executor, "until its deadline", deadline,
                              sleep(here, clock, deadline), here->ended.slot());
    co_return std::move(here->result);
  }
};

/// Runs `work` on `executor`: its result, or nothing when `deadline` comes first. The work then
/// goes on as a task of its own, so that what was begun is finished: what it commits is also in
/// force.
///   Shape: `work` owns what it needs; `scope` and `clock` outlive it.
template <class T>
asio::awaitable<std::optional<T>> finish_by(TaskScope scope, asio::any_io_executor executor,
                                            Clock& clock, StaticText name, Deadline deadline,
                                            asio::awaitable<T> work) {
  auto meeting = FinishedWork<T>::meet(scope, executor, clock, name, deadline, std::move(work));
  co_return co_await scope.call(executor, name, deadline, std::move(meeting));
}

}  // namespace vesper
