#pragma once
#include <cstdint>
#include <map>

#include "ports/clock.hpp"
#include "ports/entropy.hpp"
#include "sim/world.hpp"

namespace vesper::sim {

/// The virtual clock of one process. Destroying it drops every sleeper, as a power loss does.
class SimClock final : public Clock {
 public:
  explicit SimClock(World& world) : world_(&world) {}
  SimClock(const SimClock&) = delete;
  ~SimClock() override;

  [[nodiscard]] Instant now() const override { return world_->now(); }
  [[nodiscard]] WallTime wall() const override { return world_->wall(); }
  asio::awaitable<bool> sleep_until(Instant when) override;

 private:
  struct Sleeper {
    World::EventId event;
    std::move_only_function<void(bool)> wake;
  };
  void wake(std::uint64_t id, bool in_time);

  World* world_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, Sleeper> sleepers_;
};

/// Randomness from the world's seed.
class SimEntropy final : public Entropy {
 public:
  explicit SimEntropy(World& world) : world_(&world) {}
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(world_->random().next());
  }

 private:
  World* world_;
};

}  // namespace vesper::sim
