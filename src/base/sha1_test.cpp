#include "base/sha1.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "base/uuid.hpp"

namespace vesper {
namespace {

std::string sha1_hex(std::string_view text) {
  Sha1 hash;
  hash.update(text.data(), text.size());
  std::string out;
  append_hex(out, hash.finish());
  return out;
}

TEST(Sha1, GivesTheDigestsOfTheStandard) {
  EXPECT_EQ(sha1_hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(sha1_hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(sha1_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(sha1_hex(std::string(1'000'000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(Sha1, TheProcessorsInstructionsAgreeWithThePortableRounds) {
  const Sha1Compress accelerated = sha1_compress_accelerated();
  if (accelerated == nullptr) GTEST_SKIP() << "this processor has no SHA instructions";
  Random random{20};
  for (int round = 0; round < 2000; ++round) {
    std::array<std::uint8_t, 64> block;
    for (auto& byte : block) byte = static_cast<std::uint8_t>(random.next());
    std::array<std::uint32_t, 5> a, b;
    for (std::size_t i = 0; i < 5; ++i) a[i] = b[i] = static_cast<std::uint32_t>(random.next());
    accelerated(a.data(), block.data());
    sha1_compress_portable(b.data(), block.data());
    ASSERT_EQ(a, b) << "round " << round;
  }
}

TEST(Uuid, APreparedNameGivesTheSameUuidAtEveryLength) {
  Random random{21};
  for (std::size_t size = 0; size <= 130; ++size) {
    Uuid space;
    for (auto& byte : space.bytes) byte = static_cast<std::uint8_t>(random.next());
    std::string name;
    for (std::size_t i = 0; i < size; ++i) name += static_cast<char>('a' + random.below(26));
    EXPECT_EQ(UuidName{name}.in(space), uuid_v5(space, name)) << size;
  }
}

TEST(Uuid, APreparedNameGivesTheUuidOthersCompute) {
  const Uuid dns = *parse_uuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(to_string(UuidName{"www.example.com"}.in(dns)), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

}  // namespace
}  // namespace vesper
