#include "io/https_client/deadline_sweep.hpp"

#include <algorithm>

namespace vesper {

DeadlineSweep::DeadlineSweep(asio::any_io_executor executor, Clock& clock)
    : state_(std::make_shared<State>(std::move(executor), clock)) {}

DeadlineSweep::~DeadlineSweep() {
  state_->alive = false;
  while (state_->first != nullptr) remove(*state_, *state_->first);
  state_->timer.cancel();
}

void DeadlineSweep::add(KeptDeadline& kept) {
  KeptDeadline* before = state_->last;
  while (before != nullptr && before->at_ > kept.at_) before = before->before_;
  kept.before_ = before;
  kept.after_ = before == nullptr ? state_->first : before->after_;
  (before == nullptr ? state_->first : before->after_) = &kept;
  (kept.after_ == nullptr ? state_->last : kept.after_->before_) = &kept;
  if (kept.at_ < state_->armed_for) arm(state_);
}

// The timer is left as it is: it finds nothing due and looks for the next.
void DeadlineSweep::remove(State& state, KeptDeadline& kept) {
  (kept.before_ == nullptr ? state.first : kept.before_->after_) = kept.after_;
  (kept.after_ == nullptr ? state.last : kept.after_->before_) = kept.before_;
  kept.kept_ = false;
}

void DeadlineSweep::arm(const std::shared_ptr<State>& state) {
  if (state->first == nullptr) {
    state->armed_for = Instant::max();
    return;
  }
  state->armed_for = state->first->at_;
  state->timer.expires_after(
      std::max<Duration>(state->armed_for - state->clock.now(), Duration::zero()));
  state->timer.async_wait([state](boost::system::error_code cancelled) {
    if (cancelled || !state->alive) return;
    const Instant now = state->clock.now();
    while (state->alive && state->first != nullptr && state->first->at_ <= now) {
      KeptDeadline& passed = *state->first;
      remove(*state, passed);
      passed.what_.expire();
    }
    if (state->alive) arm(state);
  });
}

}  // namespace vesper
