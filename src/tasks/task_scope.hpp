#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

#include "ports/clock.hpp"
#include "tasks/task.hpp"

namespace vesper {

/// Owns work: everything that runs is started here, is listed by name, and can be cancelled.
///   Shape:  a handle, copied freely; scopes form a tree. Work is an awaitable, or a function that
///           takes its TaskRecord* (for Waiting) and returns one.
///   Errors: an exception that leaves a task is a bug of ours, but for the one that says it was
///           cancelled.
///   Thread: starting any; cancel() and close() the executor of the scope's tasks.
class TaskScope {
 public:
  /// A root that nobody lists: for commands and tests.
  explicit TaskScope(std::string_view name = "own");
  TaskScope(std::shared_ptr<TaskRegistry> registry, std::string_view name);
  /// A part of this one, on the same thread; cancelled with it.
  [[nodiscard]] TaskScope part(std::string_view name) const;
  /// A part whose tasks run on another thread.
  [[nodiscard]] TaskScope on_thread(std::string_view name) const;

  /// Starts `work` and answers for it.
  template <class Executor, class Work>
  void spawn(const Executor& executor, StaticText name, Deadline deadline, Work work,
             std::source_location created = std::source_location::current()) const {
    spawn_then(executor, name, deadline, std::move(work), [] {}, created);
  }
  /// The same; `ended()` is called on `executor` when it has.
  template <class Executor, class Work, class Ended>
  void spawn_then(const Executor& executor, StaticText name, Deadline deadline, Work work,
                  Ended ended,
                  std::source_location created = std::source_location::current()) const;

  /// Runs `work` on `executor` as a task of this scope, and resumes the caller with its result.
  /// Cancelled with the caller; or by `slot`, where one is given.
  template <class Executor, class T>
  asio::awaitable<T> call(Executor executor, StaticText name, Deadline deadline,
                          asio::awaitable<T> work, asio::cancellation_slot slot = {},
                          std::source_location created = std::source_location::current()) const {
    auto running = run<T>(begin(name, deadline, created), std::move(work));
    if (slot.is_connected())
      co_return co_await asio::co_spawn(executor, std::move(running),
                                        asio::bind_cancellation_slot(slot, asio::use_awaitable));
    co_return co_await asio::co_spawn(executor, std::move(running), asio::use_awaitable);
  }
  /// The same for a thread that runs no loop: start and stop.
  template <class Executor, class T>
  std::future<T> ask(const Executor& executor, StaticText name, Deadline deadline,
                     asio::awaitable<T> work,
                     std::source_location created = std::source_location::current()) const {
    return asio::co_spawn(executor, run<T>(begin(name, deadline, created), std::move(work)),
                          asio::use_future);
  }

  /// For work that is an object of its own: it keeps its Task, and is ended by on_cancel().
  [[nodiscard]] Task begin(StaticText name, Deadline deadline,
                           std::source_location created = std::source_location::current()) const;
  template <class Executor, class Ended>
  static void spawn_begun(const Executor& executor, asio::awaitable<void> work, Ended ended) {
    asio::co_spawn(executor, std::move(work),
                   [ended = std::move(ended)](const std::exception_ptr&) mutable { ended(); });
  }

  /// Called by cancel(), for work that was only begun here.
  void on_cancel(std::function<void()> cancel) const;
  /// Asks all tasks, here and in the parts, to end.
  void cancel() const;
  /// Cancels, and waits for the end of all. False when `deadline` passed first.
  asio::awaitable<bool> close(Clock& clock, Deadline deadline) const;

  [[nodiscard]] std::size_t live() const;  ///< tasks, with those of the parts
  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] Instant now() const;

 private:
  struct Running;
  struct State;
  /// Lives in the completion handler: ends the task also when its executor is destroyed.
  class Ending {
   public:
    Ending(std::shared_ptr<State> state, Running* running)
        : state_(std::move(state)), at_(running) {}
    Ending(Ending&& other) noexcept
        : state_(std::move(other.state_)), at_(std::exchange(other.at_, nullptr)) {}
    Ending& operator=(Ending&&) = delete;
    ~Ending();
    [[nodiscard]] asio::cancellation_slot slot() const;
    [[nodiscard]] TaskRecord* record() const;
    void check(const std::exception_ptr& error) const;

   private:
    std::shared_ptr<State> state_;
    Running* at_;
  };

  explicit TaskScope(std::shared_ptr<State> state) : state_(std::move(state)) {}
  [[nodiscard]] Ending start(StaticText name, Deadline deadline,
                             std::source_location created) const;
  template <class T>
  static asio::awaitable<T> run(Task task, asio::awaitable<T> work) {
    (void)task;
    co_return co_await std::move(work);
  }
  template <class Work>
  static asio::awaitable<void> run_with(TaskRecord* record, Work work) {
    co_await work(record);
  }

  std::shared_ptr<State> state_;
};

template <class Executor, class Work, class Ended>
void TaskScope::spawn_then(const Executor& executor, StaticText name, Deadline deadline, Work work,
                           Ended ended, std::source_location created) const {
  auto ending = start(name, deadline, created);
  auto* record = ending.record();
  const auto slot = ending.slot();
  auto done = [ending = std::move(ending),
               ended = std::move(ended)](const std::exception_ptr& error) mutable {
    ending.check(error);
    {
      const auto last = std::move(ending);
    }
    ended();
  };
  auto bound = asio::bind_cancellation_slot(slot, std::move(done));
  if constexpr (std::is_same_v<Work, asio::awaitable<void>>)
    asio::co_spawn(executor, std::move(work), std::move(bound));
  else
    asio::co_spawn(executor, run_with(record, std::move(work)), std::move(bound));
}

}  // namespace vesper
