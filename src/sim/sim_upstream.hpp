#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ports/clock.hpp"
#include "ports/upstream.hpp"
#include "sim/world.hpp"

namespace vesper::sim {

struct UpstreamFaults {
  Duration reply_min = 5ms, reply_max = 40ms;
  double error_share = 0;  ///< nothing applied, this status:
  std::uint16_t error_status = 503;
  double lost_reply_share = 0;  ///< applied, but the answer never comes
  double hang_share = 0;        ///< nothing applied, no answer before the deadline
  double refused_share = 0;     ///< connection refused
  bool dead = false;            ///< refuses everything
  Duration queue_each{};        ///< a try waits besides so long for each other in flight; 0: none
  bool forgets_keys = false;    ///< negative control: a platform that does not deduplicate
};

/// A data platform: applies each delivery id once, keeps the order in which it first applied them.
/// Lives longer than the server's process, as the real one does.
class SimPlatform {
 public:
  std::map<std::string, std::map<Uuid, std::uint32_t>> applied;  ///< destination -> id -> effects
  std::map<std::string, std::vector<Uuid>> order;                ///< destination -> first effects

  /// One try as it arrived.
  struct Try {
    Instant at;
    Uuid delivery_id;
    std::uint32_t in_flight;  ///< with it
    bool applied = false;     ///< for the first time
  };
  std::vector<Try> tries;
};

/// ports::Upstream of one simulated process, with faults.
class SimUpstream final : public Upstream {
 public:
  SimUpstream(World& world, SimPlatform& platform, const UpstreamFaults& faults, Clock& clock)
      : world_(&world), platform_(&platform), faults_(&faults), clock_(&clock) {}
  asio::awaitable<UpstreamReply> post(const UpstreamRequest& request, Deadline deadline) override;

 private:
  asio::awaitable<UpstreamReply> answer(const UpstreamRequest& request, Deadline deadline);

  World* world_;
  SimPlatform* platform_;
  const UpstreamFaults* faults_;
  Clock* clock_;
  std::uint32_t in_flight_ = 0;
};

}  // namespace vesper::sim
