#include "sim/sim_key_server.hpp"

namespace vesper::sim {

asio::awaitable<std::expected<FetchReply, FetchFault>> SimKeyServer::fetch(const Request&,
                                                                           Deadline deadline) {
  issuer_->fetches.push_back(world_->now());
  world_->trace("keys fetched", issuer_->fetches.size());
  if (issuer_->dead) co_return std::unexpected{FetchFault::refused};
  if (issuer_->hangs) {
    co_await clock_->sleep_until(deadline.at);
    co_return std::unexpected{FetchFault::timed_out};
  }
  co_await clock_->sleep_until(world_->now() + world_->between(2ms, 30ms));
  FetchReply reply;
  reply.status = issuer_->fails ? 503 : 200;
  reply.body = issuer_->key_set;
  co_return reply;
}

}  // namespace vesper::sim
