#include "io/https_client/deadline_sweep.hpp"

#include <algorithm>

namespace vesper {

DeadlineSweep::DeadlineSweep(asio::any_io_executor executor, Clock& clock)
    : state_(std::make_shared<State>(std::move(executor), clock)) {}

DeadlineSweep::~DeadlineSweep() {
  state_->alive = false;
  state_->timer.cancel();
}

DeadlineSweep::Ticket DeadlineSweep::add(Instant at, std::function<void()> expired) {
  const auto ticket = state_->entries.emplace(at, std::move(expired));
  if (at < state_->armed_for) arm(state_);
  return ticket;
}

// The timer is left as it is: it finds nothing due and looks for the next.
void DeadlineSweep::remove(Ticket ticket) {
  state_->entries.erase(ticket);
}

void DeadlineSweep::arm(const std::shared_ptr<State>& state) {
  if (state->entries.empty()) {
    state->armed_for = Instant::max();
    return;
  }
  state->armed_for = state->entries.begin()->first;
  state->timer.expires_after(
      std::max<Duration>(state->armed_for - state->clock.now(), Duration::zero()));
  state->timer.async_wait([state](boost::system::error_code cancelled) {
    if (cancelled || !state->alive) return;
    const Instant now = state->clock.now();
    while (state->alive && !state->entries.empty() && state->entries.begin()->first <= now) {
      auto entry = state->entries.extract(state->entries.begin());
      entry.mapped()();
    }
    if (state->alive) arm(state);
  });
}

}  // namespace vesper
