#include "stages/admission/client_address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vesper::admission {
namespace {

constexpr std::string_view proxy = "10.0.0.1", other_proxy = "10.0.0.2", client = "203.0.113.7",
                           liar = "198.51.100.9", stranger = "192.0.2.1";

PeerAddress at(std::string_view text) {
  return *parse_peer_address(text);
}

struct Chain {
  ProxyTrust trust{{*parse_network("10.0.0.0/8"), *parse_network("fd00::/8")},
                   ClientHeader::x_forwarded_for};
  std::vector<Header> headers;

  Chain& line(std::string_view value, std::string_view name = "X-Forwarded-For") {
    headers.push_back({name, value});
    return *this;
  }
  Chain& forwarded(std::string_view value) {
    trust.header = ClientHeader::forwarded;
    return line(value, "Forwarded");
  }
  [[nodiscard]] std::optional<PeerAddress> from(std::string_view peer) const {
    return client_of(at(peer), headers, trust);
  }
};

TEST(ClientAddress, WhoIsNotTrustedSpeaksForItselfWhateverItsHeadersSay) {
  EXPECT_EQ(Chain{}.from(stranger), at(stranger));
  EXPECT_EQ(Chain{}.line(client).from(stranger), at(stranger));
  EXPECT_EQ(Chain{}.line("10.0.0.1").from(stranger), at(stranger));
  EXPECT_EQ(Chain{}.forwarded("for=203.0.113.7").from(stranger), at(stranger));
}

TEST(ClientAddress, BehindATrustedProxyItIsTheRightmostThatIsNotTrusted) {
  EXPECT_EQ(Chain{}.line("203.0.113.7").from(proxy), at(client));
  EXPECT_EQ(Chain{}.line("198.51.100.9, 203.0.113.7").from(proxy), at(client));
  EXPECT_EQ(Chain{}.line("198.51.100.9, 203.0.113.7, 10.0.0.2").from(proxy), at(client));
  EXPECT_EQ(Chain{}.line("203.0.113.7,10.0.0.2 , 10.0.0.3").from(proxy), at(client));
  EXPECT_EQ(Chain{}.line(liar).line(client).from(proxy), at(client)) << "lines are one list";
  EXPECT_EQ(Chain{}.line(client).line(other_proxy).from(proxy), at(client));
  EXPECT_EQ(Chain{}.line("203.0.113.7", "x-forwarded-FOR").from(proxy), at(client));
}

// What the client itself sent stands on the left of what the proxy added.
TEST(ClientAddress, ASpoofedListDoesNotMoveTheClient) {
  for (const std::string spoofed :
       {"10.0.0.9", "127.0.0.1", "garbage", "\"", "for=\"", "::1", ",,,", "unknown", "a\"b,\"c"}) {
    EXPECT_EQ(Chain{}.line(spoofed + ", 203.0.113.7").from(proxy), at(client)) << spoofed;
    EXPECT_EQ(Chain{}.forwarded(spoofed + ", for=203.0.113.7").from(proxy), at(client)) << spoofed;
    EXPECT_EQ(Chain{}.forwarded("for=\"" + spoofed + ", for=203.0.113.7;proto=http").from(proxy),
              at(client))
        << spoofed;
    EXPECT_EQ(Chain{}.forwarded(spoofed).forwarded("for=203.0.113.7").from(proxy), at(client));
  }
}

TEST(ClientAddress, OfTrustedAddressesAloneItIsTheFirst) {
  EXPECT_EQ(Chain{}.line("10.0.0.3, 10.0.0.2").from(proxy), at("10.0.0.3"));
}

TEST(ClientAddress, WhomATrustedProxyDoesNotNameNobodyKnows) {
  EXPECT_EQ(Chain{}.from(proxy), std::nullopt);
  EXPECT_EQ(Chain{}.line("").from(proxy), std::nullopt);
  EXPECT_EQ(Chain{}.line("unknown").from(proxy), std::nullopt);
  EXPECT_EQ(Chain{}.line("203.0.113.7, unknown").from(proxy), std::nullopt);
  EXPECT_EQ(Chain{}.line("203.0.113.7, unknown, 10.0.0.2").from(proxy), std::nullopt);
  EXPECT_EQ(Chain{}.line(client, "Forwarded").from(proxy), std::nullopt) << "the other header";
  EXPECT_EQ(Chain{}.forwarded("for=_hidden").from(proxy), std::nullopt);
  EXPECT_EQ(Chain{}.forwarded("proto=https;by=10.0.0.1").from(proxy), std::nullopt);
  EXPECT_EQ(Chain{}.forwarded("for=203.0.113.7;for=192.0.2.1").from(proxy), std::nullopt);
}

TEST(ClientAddress, NodesAreReadAsProxiesWriteThem) {
  EXPECT_EQ(Chain{}.line("203.0.113.7:4711").from(proxy), at(client));
  EXPECT_EQ(Chain{}.line("2001:db8::1").from(proxy), at("2001:db8::1"));
  EXPECT_EQ(Chain{}.line("[2001:db8::1]:443").from(proxy), at("2001:db8::1"));
  EXPECT_EQ(Chain{}.line("203.0.113.7:").from(proxy), std::nullopt);
  EXPECT_EQ(Chain{}.line("[203.0.113.7]").from(proxy), std::nullopt);
  EXPECT_EQ(Chain{}.line("[2001:db8::1]x").from(proxy), std::nullopt);
  EXPECT_EQ(Chain{}.forwarded("for=\"[2001:db8:cafe::17]:4711\"").from("fd00::1"),
            at("2001:db8:cafe::17"));
  EXPECT_EQ(Chain{}.forwarded("For=\"203.0.113.7:80\";proto=http;by=10.0.0.1").from(proxy),
            at(client));
  EXPECT_EQ(Chain{}.forwarded("proto=http; for=203.0.113.7").from(proxy), at(client));
  EXPECT_EQ(Chain{}.forwarded("by=\"a;for=1.2.3.4\";for=203.0.113.7").from(proxy), at(client));
  EXPECT_EQ(Chain{}.forwarded("for=[2001:db8::1]").from(proxy), std::nullopt) << "needs quotes";
}

TEST(ClientAddress, AHouseholdOfIpv6AddressesCountsAsOne) {
  EXPECT_EQ(group_of(at("2001:db8:0:1::1")), group_of(at("2001:db8:0:1:ffff::2")));
  EXPECT_NE(group_of(at("2001:db8:0:1::1")), group_of(at("2001:db8:0:2::1")));
  EXPECT_NE(group_of(at("192.0.2.1")), group_of(at("192.0.2.2")));
}

}  // namespace
}  // namespace vesper::admission
