#include "app/url.hpp"

#include <gtest/gtest.h>

#include <array>

#include "app/nearest.hpp"

namespace vesper {
namespace {

TEST(Url, PartsAreTaken) {
  auto url = parse_setting_url("https://platform.example/base");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "platform.example");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->target, "/base");
  url = parse_setting_url("http://[::1]:9090");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->tls);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 9090);
  EXPECT_EQ(url->target, "/");
  EXPECT_TRUE(url->loopback());
  EXPECT_EQ(parse_setting_url("http://a")->port, 80);
}

TEST(Url, LoopbackIsNumericOrLocalhost) {
  for (auto text : {"http://localhost", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]"})
    EXPECT_TRUE(parse_setting_url(text)->loopback()) << text;
  for (auto text : {"http://localhost.example", "http://10.0.0.1", "http://[::2]", "http://127.1"})
    EXPECT_FALSE(parse_setting_url(text)->loopback()) << text;
}

TEST(Url, AnythingElseIsRefused) {
  for (auto text : {"",           "http://",       "ftp://a",      "//a",
                    "a.example",  "http:///path",  "http://a:0",   "http://a:65536",
                    "http://a:x", "http://a:",     "http://u:p@a", "http://a?q",
                    "http://a#f", "http://a b",    "http://[::1",  "http://[a]",
                    "http://::1", "http://a\r\nb", "HTTP://a",     "http://a/\x80"})
    EXPECT_FALSE(parse_setting_url(text)) << text;
}

TEST(Nearest, FindsSlipsAndNothingElse) {
  constexpr std::array<std::string_view, 3> known{"listen", "shards", "connections_max"};
  EXPECT_EQ(nearest("lisen", known), "listen");
  EXPECT_EQ(nearest("conections_max", known), "connections_max");
  EXPECT_EQ(nearest("shard", known), "shards");
  EXPECT_EQ(nearest("something_else", known), "");
  EXPECT_EQ(nearest("", known), "");
}

}  // namespace
}  // namespace vesper
