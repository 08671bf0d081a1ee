#include "stages/admission/address_allowances.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "stages/admission/allowances.hpp"

namespace vesper::admission {
namespace {

constexpr Instant start{1h};
constexpr HashSeed seed{1, 2};

PeerAddress at(std::string_view text) {
  return *parse_peer_address(text);
}
/// Distinct groups, as one who has a /32 of IPv6 can make them.
PeerAddress numbered(std::uint32_t number) {
  PeerAddress address = at("2001:db8::1");
  for (int i = 0; i < 4; ++i) address.bytes[7 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return address;
}

struct Addresses : testing::Test {
  std::unique_ptr<AddressAllowances> held = std::make_unique<AddressAllowances>(seed);
  AddressAllowances& allowances = *held;
  BucketRule ten_a_second = bucket_rule(10, 1, 3);

  int taken(std::string_view address, int tries, Instant now) {
    int count = 0;
    for (int i = 0; i < tries; ++i)
      count += allowances.take(at(address), ten_a_second, now) == Duration::zero() ? 1 : 0;
    return count;
  }
};

TEST_F(Addresses, HaveTheirBurstThenTheirRateAndNoMore) {
  EXPECT_EQ(taken("192.0.2.1", 3, start), 3);
  EXPECT_EQ(taken("192.0.2.1", 1, start), 0);
  EXPECT_EQ(taken("192.0.2.1", 1, start + 99ms), 0);
  EXPECT_EQ(taken("192.0.2.1", 2, start + 101ms), 1);
  EXPECT_EQ(taken("192.0.2.1", 30, start + 10s), 3);
}

TEST_F(Addresses, DoNotSpendEachOthers) {
  EXPECT_EQ(taken("192.0.2.1", 9, start), 3);
  EXPECT_EQ(taken("192.0.2.2", 9, start), 3);
  EXPECT_EQ(taken("2001:db8:0:1::1", 2, start), 2);
  EXPECT_EQ(taken("2001:db8:0:1:2:3:4:5", 9, start), 1) << "the same /64";
  EXPECT_EQ(taken("2001:db8:0:2::1", 9, start), 3);
}

// A clinic's phones share one address: told the same second, they would all come back at once.
TEST_F(Addresses, GiveThoseRefusedOneSlotAfterTheOther) {
  (void)taken("192.0.2.1", 3, start);
  Duration before{};
  for (int i = 0; i < 50; ++i) {
    const Duration wait = allowances.take(at("192.0.2.1"), ten_a_second, start);
    EXPECT_GE(wait, before + 99ms);
    before = wait;
  }
  EXPECT_LE(before, 6s);
}

TEST_F(Addresses, HaveSoManyOpenConnectionsAndNoMore) {
  const PeerAddress one = at("192.0.2.1");
  EXPECT_TRUE(allowances.open(one, 2));
  EXPECT_TRUE(allowances.open(one, 2));
  EXPECT_FALSE(allowances.open(one, 2));
  EXPECT_TRUE(allowances.open(at("192.0.2.2"), 2));
  allowances.close(one);
  EXPECT_TRUE(allowances.open(one, 2));
  EXPECT_FALSE(allowances.open(one, 2));
  EXPECT_FALSE(allowances.open(one, 1)) << "a ceiling that was lowered";
}

TEST_F(Addresses, ClosingWhatWasNeverCountedGivesNothing) {
  const PeerAddress one = at("192.0.2.1");
  for (int i = 0; i < 5; ++i) allowances.close(one);
  EXPECT_TRUE(allowances.open(one, 1));
  EXPECT_FALSE(allowances.open(one, 1));
}

// The negative of it: a name that has used least is forgotten, and the one at its limit is not.
TEST_F(Addresses, EverNewOnesDoNotFreeTheOneThatIsHeldToItsLimit) {
  const PeerAddress flood = at("192.0.2.1");
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(allowances.open(flood, 1000));
  for (std::uint32_t i = 0; i < 4 * AddressAllowances::names_max; ++i)
    (void)allowances.open(numbered(i), 1);
  EXPECT_FALSE(allowances.open(flood, 1000));
  EXPECT_GT(allowances.evictions(), 0u);
}

TEST_F(Addresses, CountsFromManyThreadsAddUp) {
  constexpr int threads = 4, each = 20'000;
  const PeerAddress one = at("192.0.2.1");
  (void)allowances.open(one, 1'000'000);  // two that bring a name for the first time may differ
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i)
    all.emplace_back([&] {
      for (int j = 0; j < each; ++j) {
        ASSERT_TRUE(allowances.open(one, 1'000'000));
        if (j % 2 == 0) allowances.close(one);
      }
    });
  for (auto& thread : all) thread.join();
  constexpr std::uint32_t open = 1 + threads * each / 2;
  EXPECT_FALSE(allowances.open(one, open));
  EXPECT_TRUE(allowances.open(one, open + 1));
}

}  // namespace
}  // namespace vesper::admission
