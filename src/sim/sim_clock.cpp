#include "sim/sim_clock.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "sim/resume.hpp"

namespace vesper::sim {

SimClock::~SimClock() {
  for (auto& [id, sleeper] : sleepers_) world_->cancel(sleeper.event);
}

void SimClock::wake(std::uint64_t id, bool in_time) {
  auto node = sleepers_.extract(id);
  if (node.empty()) return;
  if (!in_time) world_->cancel(node.mapped().event);
  node.mapped().wake(in_time);
}

asio::awaitable<bool> SimClock::sleep_until(Instant when) {
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
      [this, when](auto handler) {
        const std::uint64_t id = ++next_;
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected())
          slot.assign([this, id](asio::cancellation_type) { wake(id, false); });
        sleepers_[id] = {world_->at(when, [this, id] { wake(id, true); }),
                         resume_by_post<bool>(std::move(handler))};
      },
      asio::use_awaitable);
}

}  // namespace vesper::sim
