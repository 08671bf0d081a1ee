#pragma once
#include <string>
#include <vector>

#include "ports/clock.hpp"
#include "ports/http_fetch.hpp"
#include "sim/world.hpp"

namespace vesper::sim {

/// An identity provider's key set behind an address. Lives longer than the server's process.
struct KeyIssuer {
  std::string key_set;
  bool dead = false;             ///< refuses connections
  bool hangs = false;            ///< answers nothing before the deadline
  bool fails = false;            ///< 503
  std::vector<Instant> fetches;  ///< when each began
};

/// ports::HttpFetch of one simulated process, which knows a single address.
class SimKeyServer final : public HttpFetch {
 public:
  SimKeyServer(World& world, KeyIssuer& issuer, Clock& clock)
      : world_(&world), issuer_(&issuer), clock_(&clock) {}
  asio::awaitable<std::expected<FetchReply, FetchFault>> fetch(const Request& request,
                                                               Deadline deadline) override;

 private:
  World* world_;
  KeyIssuer* issuer_;
  Clock* clock_;
};

}  // namespace vesper::sim
