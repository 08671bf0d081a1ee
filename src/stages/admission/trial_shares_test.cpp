#include "stages/admission/trial_shares.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.hpp"

namespace vesper::admission {
namespace {

struct Sender {
  std::uint64_t name;
  double rate, weight = 1;
  int asked = 0, admitted = 0;
};

/// Requests of each sender at random moments before a door that has `capacity` a second, first
/// come, first served, and asks for shares when that is used up; a tick each 100 ms.
/// `planted`: the fault that the simulation must find, one party for all trials.
struct Evening {
  explicit Evening(std::uint64_t seed, double capacity_in = 1000, bool planted_in = false)
      : random(seed), capacity(capacity_in), planted(planted_in) {
    shares.tick(capacity, now);
  }
  void run(std::vector<Sender>& senders, Duration length) {
    const Instant end = now + length;
    for (; now < end; now += 1ms) {
      room = std::min(room + capacity / 1000, 5.0);
      for (std::size_t i = 0; i < senders.size(); ++i)
        ask(senders[(i + static_cast<std::size_t>(now.time_since_epoch() / 1ms)) % senders.size()]);
      if (now - ticked < 100ms) continue;
      ticked = now;
      shares.tick(capacity, now);
    }
  }
  void ask(Sender& sender) {
    for (double expected = sender.rate / 1000; expected > 0; expected -= 1) {
      if (!random.chance(std::min(1.0, expected))) continue;
      const Party party = shares.party_of(planted ? 5 : sender.name);
      shares.set_weight(party, sender.weight);
      shares.count(party);
      ++sender.asked;
      const bool admitted = room >= 1 || shares.inside_share(party);
      if (!admitted) continue;
      room -= 1;
      ++sender.admitted;
    }
  }
  Random random;
  double capacity, room = 0;
  bool planted;
  TrialShares shares;
  Instant now{1h}, ticked{1h};
};

TEST(TrialShares, ATrialInsideItsShareIsNotRefusedWhileAnotherIsAtTwentyTimes) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Evening evening{seed};
    std::vector<Sender> senders{{11, 20'000}, {12, 300}, {13, 100}};
    evening.run(senders, 10s);
    EXPECT_EQ(senders[1].admitted, senders[1].asked) << "seed " << seed;
    EXPECT_EQ(senders[2].admitted, senders[2].asked) << "seed " << seed;
    EXPECT_NEAR(senders[0].admitted, 6000, 400) << "seed " << seed;
    EXPECT_TRUE(evening.shares.over_share(evening.shares.party_of(11)));
    EXPECT_FALSE(evening.shares.over_share(evening.shares.party_of(12)));
  }
}

TEST(TrialShares, TheSimulationFindsSharesThatAreNotApart) {
  Evening evening{1, 1000, true};
  std::vector<Sender> senders{{11, 20'000}, {12, 300}};
  evening.run(senders, 5s);
  EXPECT_LT(senders[1].admitted, senders[1].asked * 3 / 4);
}

TEST(TrialShares, TheFloodOfANewTrialIsHeldBeforeItsDemandIsMeasured) {
  Evening evening{2};
  std::vector<Sender> senders{{12, 300}};
  evening.run(senders, 3s);
  senders.push_back({11, 20'000});
  evening.run(senders, 100ms);
  EXPECT_LE(senders[1].admitted, 250);  // of the 2,000 that came
  EXPECT_EQ(senders[0].admitted, senders[0].asked);
}

TEST(TrialShares, ATrialAloneIsNeverInsideBeyondWhatTheDoorHasRoomFor) {
  Evening evening{3};
  std::vector<Sender> senders{{11, 20'000}};
  evening.run(senders, 1s);
  EXPECT_LE(senders[0].admitted, 1010);
}

// The flood asked all through the last tick, and not yet in this one: nobody is alone.
TEST(TrialShares, WhoAsksFirstInATickIsNotTakenForAlone) {
  TrialShares shares;
  const Party flood = shares.party_of(11), quiet = shares.party_of(12);
  Instant now{1h};
  shares.tick(1000, now);
  for (int tick = 0; tick < 20; ++tick) {
    for (int i = 0; i < 500; ++i) shares.count(flood);
    shares.tick(1000, now += 100ms);
  }
  shares.count(quiet);
  EXPECT_TRUE(shares.inside_share(quiet));
  shares.tick(1000, now += 100ms);
  shares.tick(1000, now += 100ms);
  shares.count(quiet);
  EXPECT_FALSE(shares.inside_share(quiet)) << "nobody else has asked for two ticks";
}

TEST(TrialShares, WeightsSayWhoIsInside) {
  for (const double weight : {1.0, 4.0}) {
    Evening evening{4};
    std::vector<Sender> senders{{11, 5000}, {12, 700, weight}};
    evening.run(senders, 3s);
    for (Sender& sender : senders) sender.asked = sender.admitted = 0;
    evening.run(senders, 5s);
    if (weight > 1)
      EXPECT_EQ(senders[1].admitted, senders[1].asked);
    else
      EXPECT_LT(senders[1].admitted, senders[1].asked);
  }
}

// Swarm: trials come, go and flood at random. One that asks for less than its even part at all
// times is never refused, and all together get no more than capacity and what is inside shares.
bool holds_under_a_swarm(std::uint64_t seed, bool planted) {
  Evening evening{seed, 2000, planted};
  const std::size_t count = 2 + evening.random.below(20);
  std::vector<Sender> senders;
  for (std::size_t i = 0; i < count; ++i) senders.push_back({100 + i, 100});
  senders[0].rate = 0.8 * 2000 / static_cast<double>(count);
  for (int phase = 0; phase < 10; ++phase) {
    for (std::size_t i = 1; i < count; ++i)
      senders[i].rate = evening.random.chance(0.3) ? 0 : evening.random.unit() * 8000;
    evening.run(senders, 1s);
  }
  int admitted = 0;
  for (const Sender& sender : senders) admitted += sender.admitted;
  const bool bounded = admitted < 10 * 2000 * 1.3 + 64.0 * static_cast<double>(count) * 10;
  return bounded && senders[0].admitted == senders[0].asked;
}

TEST(TrialSharesSimulation, AQuietTrialIsNeverRefusedInASwarm) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    EXPECT_TRUE(holds_under_a_swarm(seed, false)) << "seed " << seed;
}

TEST(TrialSharesSimulation, FindsOnePartyForAll) {
  EXPECT_FALSE(holds_under_a_swarm(1, true));
}

TEST(TrialShares, MoreTrialsThanThereIsRoomForShareOne) {
  TrialShares shares;
  for (std::uint64_t name = 1; name < 5000; ++name) shares.count(shares.party_of(name * 7919));
  shares.tick(1000, Instant{1h});
  EXPECT_LE(shares.active(), TrialShares::parties_max);
  shares.tick(1000, Instant{1h + 5s});
  shares.tick(1000, Instant{1h + 70s});
  EXPECT_NE(shares.party_of(99'999'999), TrialShares::the_rest);
}

}  // namespace
}  // namespace vesper::admission
