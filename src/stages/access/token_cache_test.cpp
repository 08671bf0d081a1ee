#include "stages/access/token_cache.hpp"

#include <gtest/gtest.h>

#include "stages/access/authenticator.hpp"
#include "stages/access/test_keys.hpp"

namespace vesper::access {
namespace {

using namespace testing;

constexpr WallTime now{std::chrono::seconds{1'800'000'000}};
constexpr HashSeed seed{1, 2};

VerifiedToken verified(std::string subject = "S", WallTime until = now + 60s) {
  auto caller = std::make_shared<Caller>();
  caller->subject = std::move(subject);
  return {std::move(caller), {now - 60s, until}};
}
std::string token_of(int i, std::size_t size = 330) {
  std::string token = std::to_string(i);
  return std::string(size - token.size(), 't') + token;
}

TEST(TokenCache, FindsOnlyTheWholeToken) {
  TokenCache cache{{}, seed};
  const std::string token = token_of(1);
  EXPECT_EQ(cache.find(token, now), nullptr);
  cache.keep(token, verified("S-1"));
  ASSERT_TRUE(cache.find(token, now));
  EXPECT_EQ(cache.find(token, now)->subject, "S-1");
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] ^= 1;
    EXPECT_EQ(cache.find(other, now), nullptr) << i;
  }
  EXPECT_EQ(cache.find(token.substr(1), now), nullptr);
  EXPECT_EQ(cache.find("t" + token, now), nullptr);
  EXPECT_EQ(cache.find("short", now), nullptr);
}

TEST(TokenCache, ChecksValidityOnEveryHit) {
  TokenCache cache{{}, seed};
  const std::string token = token_of(1);
  cache.keep(token, verified("S", now + 60s));
  EXPECT_TRUE(cache.find(token, now + 60s - std::chrono::milliseconds{1}));
  EXPECT_EQ(cache.find(token, now - 61s), nullptr);  // a clock set back: not yet valid, but kept
  EXPECT_TRUE(cache.find(token, now));
  EXPECT_EQ(cache.find(token, now + 60s), nullptr);
  EXPECT_EQ(cache.entries(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(TokenCache, StaysWithinItsBounds) {
  TokenCache cache{{.entries_max = 100, .bytes_max = 1 << 20}, seed};
  for (int i = 0; i < 1'000; ++i) {
    cache.keep(token_of(i), verified());
    EXPECT_LE(cache.entries(), 100u);
  }
  EXPECT_EQ(cache.entries(), 100u);
  TokenCache small{{.entries_max = 1'000, .bytes_max = 10'000}, seed};
  for (int i = 0; i < 1'000; ++i) {
    small.keep(token_of(i), verified());
    EXPECT_LE(small.bytes(), 10'000u);
  }
  EXPECT_GT(small.entries(), 5u);
  small.keep(token_of(1, 8'000), verified(std::string(4'000, 's')));  // larger than all of it
  EXPECT_EQ(small.find(token_of(1, 8'000), now), nullptr);
}

TEST(TokenCache, LetsTheUnusedGoFirst) {
  TokenCache cache{{.entries_max = 64, .bytes_max = 1 << 20}, seed};
  for (int i = 0; i < 64; ++i) cache.keep(token_of(i), verified());
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_TRUE(cache.find(token_of(7), now)) << i;
    cache.keep(token_of(100 + i), verified());
  }
}

TEST(TokenCache, KeepsOneEntryATokenAndForgetsAllOnFlush) {
  TokenCache cache{{}, seed};
  cache.keep(token_of(1), verified("first"));
  cache.keep(token_of(1), verified("second"));
  EXPECT_EQ(cache.entries(), 1u);
  EXPECT_EQ(cache.find(token_of(1), now)->subject, "first");
  cache.flush();
  EXPECT_EQ(cache.entries() + cache.bytes(), 0u);
  EXPECT_EQ(cache.find(token_of(1), now), nullptr);
  cache.keep(token_of(1), verified("third"));
  EXPECT_EQ(cache.find(token_of(1), now)->subject, "third");
}

TEST(TokenCache, AgreesWithAMapOverManySteps) {
  TokenCache cache{{.entries_max = 1 << 12, .bytes_max = 1 << 26}, seed};
  std::uint64_t state = 7;
  std::vector<bool> kept(4'000, false);
  for (int step = 0; step < 200'000; ++step) {
    state = state * 6364136223846793005 + 1442695040888963407;
    const int i = static_cast<int>((state >> 33) % kept.size());
    const bool late = (state >> 20) % 16 == 0;
    const auto found = cache.find(token_of(i, 64), late ? now + 61s : now);
    ASSERT_EQ(found != nullptr, kept[i] && !late);
    if (late) kept[i] = false;
    if ((state >> 25) % 2 == 0 && !late) {
      cache.keep(token_of(i, 64), verified(std::to_string(i)));
      kept[i] = true;
    }
    if (found) ASSERT_EQ(found->subject, std::to_string(i));
  }
}

class AuthenticatorTest : public ::testing::Test {
 protected:
  KeyRing ring(char secret, std::uint64_t generation) {
    auto keys = parse_key_set(secret_jwk(secret).dump());
    KeyRing made{.issuers = {}, .generation = generation};
    made.issuers.push_back({IssuerRules{.issuer = "i", .audience = "vesper"},
                            std::make_shared<const KeySet>(std::move(*keys))});
    return made;
  }
  std::string credentials(std::int64_t exp) {
    const auto key = SigningKey::from_jwk(secret_jwk('a').dump());
    return "Bearer " +
           key->token(Json{
               {"iss", "i"}, {"aud", "vesper"}, {"sub", "S"}, {"exp", exp}, {"scope", "patient"}}
                          .dump());
  }
  Authenticator door{{}, seed};
};

TEST_F(AuthenticatorTest, SecondTimeComesFromTheCacheUntilItExpires) {
  const auto keys = ring('a', 1);
  const std::string value = credentials(1'800'000'100);
  EXPECT_FALSE(door.authenticate(value, keys, now)->from_cache);
  EXPECT_TRUE(door.authenticate(value, keys, now)->from_cache);
  EXPECT_TRUE(door.authenticate(value, keys, now + 159s)->from_cache);
  EXPECT_EQ(door.authenticate(value, keys, now + 160s).error().fault, AccessFault::expired);
}

TEST_F(AuthenticatorTest, AnotherGenerationOfKeysForgetsWhatTheLastOneProved) {
  const std::string value = credentials(1'800'000'100);
  ASSERT_TRUE(door.authenticate(value, ring('a', 1), now));
  EXPECT_EQ(door.authenticate(value, ring('b', 2), now).error().fault, AccessFault::bad_signature);
  EXPECT_FALSE(door.authenticate(value, ring('a', 3), now)->from_cache);
}

TEST_F(AuthenticatorTest, FailuresAreNeverKept) {
  const std::string value = credentials(1'800'000'100);
  EXPECT_FALSE(door.authenticate(value, ring('b', 1), now));
  EXPECT_TRUE(door.authenticate(value, ring('a', 1), now));
  EXPECT_EQ(door.authenticate("", ring('a', 1), now).error().fault, AccessFault::missing);
}

}  // namespace
}  // namespace vesper::access
