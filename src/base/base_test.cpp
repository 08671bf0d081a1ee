#include <gtest/gtest.h>

#include "base/arena.hpp"
#include "base/encoding.hpp"
#include "base/latency_histogram.hpp"
#include "base/random.hpp"
#include "base/uuid.hpp"
#include "base/wall_time.hpp"

namespace vesper {
namespace {

TEST(Uuid, ParsesEitherCaseAndPrintsLowerCase) {
  const auto id = parse_uuid("019AAF0E-7c1e-7b52-a3b0-1d2c3e4f5a6b");
  ASSERT_TRUE(id);
  EXPECT_EQ(to_string(*id), "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
  for (auto bad : {"", "019aaf0e7c1e7b52a3b01d2c3e4f5a6b", "{19aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b",
                   "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6", "019aaf0g-7c1e-7b52-a3b0-1d2c3e4f5a6b",
                   "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b0"})
    EXPECT_FALSE(parse_uuid(bad)) << bad;
}

TEST(Uuid, Version5MatchesRfc9562Vector) {
  const auto dns = *parse_uuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(to_string(uuid_v5(dns, "www.example.com")), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  // Names around the block edge, against Python's uuid.uuid5.
  EXPECT_EQ(to_string(uuid_v5(dns, std::string(39, 'a'))), "5824f981-4282-59d4-9716-acb6d741350e");
}

TEST(Uuid, Version7IsOrderedByTime) {
  EXPECT_LT(uuid_v7(1'000, ~0ull, ~0ull), uuid_v7(1'001, 0, 0));
  EXPECT_EQ(to_string(uuid_v7(0x017f22e279b0, 0, 0))[14], '7');
}

TEST(WallTime, RoundTrips) {
  const auto t = parse_date_time("2026-11-20T20:14:05.007+08:00");
  ASSERT_TRUE(t);
  EXPECT_EQ(to_string(t->utc), "2026-11-20T12:14:05.007Z");
  EXPECT_EQ(t->offset_minutes, 480);
  EXPECT_FALSE(parse_date_time("2026-11-20T20:14:05")->offset_minutes);
  EXPECT_EQ(parse_date_time("2026-11")->precision, 7);
  for (auto bad : {"2026-02-30", "2026-13", "2026-11-20T24:00:00Z", "2026-11-20T20:14Z", "26-11-20",
                   "2026-11-20T20:14:60Z", "2026-11-20 20:14:05Z", "2026-11-20T20:14:05+15:00",
                   "2026-11-20T20:14:05.Z", "2026-1-1", "0000-01-01"})
    EXPECT_FALSE(parse_date_time(bad)) << bad;
}

TEST(Base64Url, IsStrict) {
  std::string out;
  EXPECT_TRUE(decode_base64url("AQAB", out));
  EXPECT_EQ(out, std::string("\1\0\1", 3));
  EXPECT_TRUE(decode_base64url("_-8", out));
  for (auto bad : {"A", "AQ==", "A B", "AR", "a+b/", "AQAB\n"})
    EXPECT_FALSE(decode_base64url(bad, out)) << bad;
  EXPECT_EQ(encode_base64url("\xff\xef"), "_-8");
  EXPECT_EQ(encode_base64("a"), "YQ==");
}

TEST(Utf8, RefusesOverlongSurrogatesAndCuts) {
  EXPECT_TRUE(valid_utf8("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"));
  for (auto bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xff"})
    EXPECT_FALSE(valid_utf8(bad));
  std::size_t at = 0;
  EXPECT_FALSE(valid_utf8("ab\xff", &at));
  EXPECT_EQ(at, 2u);
}

TEST(JsonEscape, EscapesWhatJsonAsksFor) {
  std::string out;
  append_json_escaped(out, std::string_view("a\"\\\n\x01\xc3\xbc", 7));
  EXPECT_EQ(out, "a\\\"\\\\\\n\\u0001\xc3\xbc");
}

TEST(Arena, KeepsBlocksOverReset) {
  Arena arena;
  for (int round = 0; round < 3; ++round) {
    auto big = arena.array<char>(40'000);
    auto small = arena.array<std::uint64_t>(3);
    big[39'999] = 'x';
    small[2] = 7;
    EXPECT_EQ(arena.copy("abc"), "abc");
    arena.reset();
  }
}

TEST(LatencyHistogram, PercentilesAreWithinTheirError) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 100'000; ++i) histogram.record(Duration{i * 1000});
  for (double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const auto exact = share * 100'000 * 1000;
    const auto read = static_cast<double>(histogram.percentile(share).count());
    EXPECT_GE(read, exact * 0.999) << share;
    EXPECT_LE(read, exact * 1.017) << share;
  }
  EXPECT_EQ(histogram.percentile(1.0), Duration{100'000'000});
  LatencyHistogram other;
  other.record(std::chrono::hours{1});
  histogram.merge(other);
  EXPECT_EQ(histogram.max(), std::chrono::hours{1});
  EXPECT_EQ(histogram.total(), 100'001u);
}

TEST(Random, IsRepeatable) {
  Random a{42}, b{42}, c{43};
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
}

}  // namespace
}  // namespace vesper
