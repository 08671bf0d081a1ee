#include "sim/sim_upstream.hpp"

namespace vesper::sim {

asio::awaitable<UpstreamReply> SimUpstream::post(const UpstreamRequest& request,
                                                 Deadline deadline) {
  struct InFlight {
    explicit InFlight(std::uint32_t& of) : count(of) { ++count; }
    ~InFlight() { --count; }
    InFlight(const InFlight&) = delete;
    std::uint32_t& count;
  } const here{in_flight_};
  platform_->tries.push_back({world_->now(), request.delivery_id, in_flight_});
  co_return co_await answer(request, deadline);
}

asio::awaitable<UpstreamReply> SimUpstream::answer(const UpstreamRequest& request,
                                                   Deadline deadline) {
  const std::size_t number = platform_->tries.size() - 1;
  const std::string destination{request.destination};
  const Uuid id = request.delivery_id;
  auto& random = world_->random();
  UpstreamReply reply;
  const bool refused = random.chance(faults_->refused_share),
             hangs = random.chance(faults_->hang_share),
             fails = random.chance(faults_->error_share),
             loses = random.chance(faults_->lost_reply_share);
  if (faults_->dead || refused) {
    reply.trouble = UpstreamReply::Trouble::refused;
    co_return reply;
  }
  const Instant answer = world_->now() + faults_->queue_each * (in_flight_ - 1) +
                         world_->between(faults_->reply_min, faults_->reply_max);
  if (hangs || answer > deadline.at) {
    co_await clock_->sleep_until(deadline.at);
    reply.trouble = UpstreamReply::Trouble::timed_out;
    co_return reply;
  }
  co_await clock_->sleep_until(answer);
  if (fails) {
    reply.status = faults_->error_status;
    co_return reply;
  }
  auto& times = platform_->applied[destination][id];
  if (times == 0) {
    platform_->order[destination].push_back(id);
    platform_->tries[number].applied = true;
  }
  if (times == 0 || faults_->forgets_keys) ++times;
  world_->trace("applied", id.bytes[0]);
  if (loses) {
    co_await clock_->sleep_until(deadline.at);
    reply.trouble = UpstreamReply::Trouble::timed_out;
    co_return reply;
  }
  reply.status = 200;
  co_return reply;
}

}  // namespace vesper::sim
