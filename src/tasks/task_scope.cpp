#include "tasks/task_scope.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <mutex>
#include <vector>

#include "base/ensure.hpp"

namespace vesper {
namespace {

bool says_cancelled(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& told) {
    return told.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

struct TaskScope::Running {
  asio::cancellation_signal signal;
  Task task;
  Running *previous = nullptr, *next = nullptr;
};

struct TaskScope::State {
  State(std::shared_ptr<TaskRegistry> registry_in, std::shared_ptr<TaskSlab> slab_in,
        std::string path)
      : registry(std::move(registry_in)),
        slab(std::move(slab_in)),
        record(registry->add_scope(std::move(path), slab)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    for (const Running* spare : spares) delete spare;
  }

  const std::shared_ptr<TaskRegistry> registry;
  const std::shared_ptr<TaskSlab> slab;
  ScopeRecord* const record;
  std::mutex mutex;
  Running* first = nullptr;                 // under mutex
  std::vector<Running*> spares;             // under mutex
  std::vector<std::weak_ptr<State>> parts;  // under mutex
  std::vector<Running*> cancelling;         // under mutex; those still to be told
  std::function<void()> on_cancel;
};

TaskScope::TaskScope(std::string_view name) : TaskScope(std::make_shared<TaskRegistry>(), name) {}

TaskScope::TaskScope(std::shared_ptr<TaskRegistry> registry, std::string_view name) {
  auto slab = registry->add_slab(std::string{name});
  state_ = std::make_shared<State>(std::move(registry), std::move(slab), std::string{name});
}

TaskScope TaskScope::part(std::string_view name) const {
  TaskScope made{std::make_shared<State>(state_->registry, state_->slab,
                                         state_->record->path + "/" + std::string{name})};
  const std::lock_guard lock(state_->mutex);
  std::erase_if(state_->parts, [](const auto& part) { return part.expired(); });
  state_->parts.push_back(made.state_);
  return made;
}

TaskScope TaskScope::on_thread(std::string_view name) const {
  TaskScope made{std::make_shared<State>(state_->registry,
                                         state_->registry->add_slab(std::string{name}),
                                         state_->record->path + "/" + std::string{name})};
  const std::lock_guard lock(state_->mutex);
  state_->parts.push_back(made.state_);
  return made;
}

Task TaskScope::begin(StaticText name, Deadline deadline, std::source_location created) const {
  ScopeRecord* owner = state_->record;
  owner->live.fetch_add(1, std::memory_order_relaxed);
  owner->started.fetch_add(1, std::memory_order_relaxed);
  const Instant now = state_->registry->now();
  auto* record = state_->slab->add({.name = name.text,
                                    .site = "running",
                                    .owner = owner,
                                    .created = created,
                                    .born = now,
                                    .since = now,
                                    .deadline = deadline.at});
  return {state_->registry, state_->slab.get(), record, owner};
}

TaskScope::Ending TaskScope::start(StaticText name, Deadline deadline,
                                   std::source_location created) const {
  Task task = begin(name, deadline, created);
  const std::lock_guard lock(state_->mutex);
  if (state_->spares.empty()) state_->spares.push_back(new Running);
  Running* running = state_->spares.back();
  state_->spares.pop_back();
  running->task = std::move(task);
  running->previous = nullptr;
  running->next = state_->first;
  if (state_->first != nullptr) state_->first->previous = running;
  state_->first = running;
  return {state_, running};
}

TaskScope::Ending::~Ending() {
  if (at_ == nullptr) return;
  at_->task.end();
  const std::lock_guard lock(state_->mutex);
  if (at_->previous != nullptr) at_->previous->next = at_->next;
  if (at_->next != nullptr) at_->next->previous = at_->previous;
  if (state_->first == at_) state_->first = at_->next;
  std::erase(state_->cancelling, at_);
  state_->spares.push_back(at_);
}

asio::cancellation_slot TaskScope::Ending::slot() const {
  return at_->signal.slot();
}

TaskRecord* TaskScope::Ending::record() const {
  return at_->task.record();
}

void TaskScope::Ending::check(const std::exception_ptr& error) const {
  ensure(error == nullptr || says_cancelled(error));
}

void TaskScope::on_cancel(std::function<void()> cancel) const {
  state_->on_cancel = std::move(cancel);
}

// A task that is told may end at once and start others: nothing is held while it is told, and who
// has ended meanwhile is no longer in the list.
void TaskScope::cancel() const {
  std::vector<std::weak_ptr<State>> parts;
  {
    const std::lock_guard lock(state_->mutex);
    parts = state_->parts;
    for (Running* running = state_->first; running != nullptr; running = running->next)
      state_->cancelling.push_back(running);
  }
  for (;;) {
    Running* next = nullptr;
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->cancelling.empty()) break;
      next = state_->cancelling.back();
      state_->cancelling.pop_back();
    }
    next->signal.emit(asio::cancellation_type::terminal);
  }
  if (state_->on_cancel) state_->on_cancel();
  for (const auto& weak : parts)
    if (auto part = weak.lock()) TaskScope{std::move(part)}.cancel();
}

asio::awaitable<bool> TaskScope::close(Clock& clock, Deadline deadline) const {
  constexpr Duration step = 2ms;
  co_await asio::this_coro::throw_if_cancelled(false);
  cancel();
  while (live() > 0) {
    const Instant now = clock.now();
    if (deadline.passed(now)) co_return false;
    if (!co_await clock.sleep_until(std::min(now + step, deadline.at))) co_return false;
  }
  co_return true;
}

std::size_t TaskScope::live() const {
  std::int64_t live = state_->record->live.load(std::memory_order_relaxed);
  std::vector<std::weak_ptr<State>> parts;
  {
    const std::lock_guard lock(state_->mutex);
    parts = state_->parts;
  }
  for (const auto& weak : parts)
    if (auto part = weak.lock())
      live += static_cast<std::int64_t>(TaskScope{std::move(part)}.live());
  return static_cast<std::size_t>(std::max<std::int64_t>(live, 0));
}

const std::string& TaskScope::path() const {
  return state_->record->path;
}

Instant TaskScope::now() const {
  return state_->registry->now();
}

}  // namespace vesper
