#include "model/peer_address.hpp"

#include <gtest/gtest.h>

namespace vesper {
namespace {

PeerAddress address(std::string_view text) {
  const auto parsed = parse_peer_address(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(PeerAddress{});
}

TEST(PeerAddress, OneAddressHasManySpellings) {
  EXPECT_EQ(address("2001:db8::1"), address("2001:0DB8:0:0:0:0:0:1"));
  EXPECT_EQ(address("::ffff:192.0.2.1"), address("192.0.2.1"));
  EXPECT_EQ(address("::ffff:c000:201"), address("192.0.2.1"));
  EXPECT_EQ(address("1:2:3:4:5:6:1.2.3.4"), address("1:2:3:4:5:6:102:304"));
  EXPECT_EQ(address("::").bytes, (std::array<std::uint8_t, 16>{}));
  EXPECT_EQ(address("1::").bytes[1], 1);
  EXPECT_EQ(address("::1").bytes[15], 1);
  EXPECT_EQ(address("255.255.255.255").bytes[15], 255);
  EXPECT_TRUE(address("0.0.0.0").is_v4());
  EXPECT_FALSE(address("::1").is_v4());
}

TEST(PeerAddress, WhatIsNotOneAddressIsNone) {
  for (const std::string_view text : {"",
                                      " ",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.256",
                                      "1.2.3.04",
                                      "1.2.3.-4",
                                      "1..3.4",
                                      "1.2.3.4 ",
                                      "1.2.3.4:80",
                                      ":",
                                      ":::",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1::2::3",
                                      "12345::",
                                      "::g",
                                      "fe80::1%eth0",
                                      "[::1]",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "1.2.3.4::",
                                      "::1.2.3",
                                      "1:",
                                      ":1",
                                      "1:2:3:4::5:6:7:8",
                                      "unknown",
                                      "+1.2.3.4",
                                      "0x1.2.3.4"})
    EXPECT_FALSE(parse_peer_address(text)) << text;
}

TEST(Network, HasTheAddressesOfItsPrefixAndNoOthers) {
  const auto ten = parse_network("10.0.0.0/8");
  ASSERT_TRUE(ten);
  EXPECT_TRUE(ten->contains(address("10.0.0.0")));
  EXPECT_TRUE(ten->contains(address("10.255.255.255")));
  EXPECT_TRUE(ten->contains(address("::ffff:10.1.2.3")));
  EXPECT_FALSE(ten->contains(address("9.255.255.255")));
  EXPECT_FALSE(ten->contains(address("11.0.0.0")));
  const auto site = parse_network("2001:db8:0:4000::/50");
  ASSERT_TRUE(site);
  EXPECT_TRUE(site->contains(address("2001:db8:0:7fff:ffff::")));
  EXPECT_FALSE(site->contains(address("2001:db8:0:8000::")));
  EXPECT_FALSE(site->contains(address("2001:db8:0:3fff::")));
}

TEST(Network, OneAddressIsOneAndAFamilyIsAFamily) {
  EXPECT_TRUE(parse_network("192.0.2.7")->contains(address("192.0.2.7")));
  EXPECT_FALSE(parse_network("192.0.2.7")->contains(address("192.0.2.6")));
  EXPECT_TRUE(parse_network("::/0")->contains(address("2001:db8::1")));
  EXPECT_FALSE(parse_network("::/0")->contains(address("192.0.2.7")));
  EXPECT_TRUE(parse_network("0.0.0.0/0")->contains(address("192.0.2.7")));
  EXPECT_FALSE(parse_network("0.0.0.0/0")->contains(address("2001:db8::1")));
}

TEST(Network, SlipsAreFaults) {
  for (const std::string_view text :
       {"10.1.2.3/8", "10.0.0.0/33", "2001:db8::/129", "2001:db8::1/64", "10.0.0.0/", "/8",
        "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.0/8 ", "localhost", ""})
    EXPECT_FALSE(parse_network(text)) << text;
}

}  // namespace
}  // namespace vesper
