#include "app/admin_guard.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vesper {
namespace {

const std::vector<std::string> hosts{"ops.example"};

AdminRequest post(std::string_view host) {
  return {.method = "POST", .changes = true, .host = host, .origin = {}, .fetch_site = {}};
}

AdminVerdict judge(const AdminRequest& request, bool token_needed = false) {
  return judge_admin_request(request, {.token_needed = token_needed, .allowed_hosts = hosts});
}

TEST(AdminHost, LoopbackAndConfiguredNamesAreAllowed) {
  for (auto host : {"localhost", "localhost:6060", "LOCALHOST", "127.0.0.1", "127.0.0.1:6060",
                    "127.8.9.10", "[::1]", "[::1]:6060", "ops.example", "OPS.example:443"})
    EXPECT_TRUE(admin_host_allowed(host, hosts)) << host;
}

TEST(AdminHost, EverythingElseIsNot) {
  for (auto host : {"",
                    "evil.example",
                    "evil.example:6060",
                    "127.0.0.1.evil.example",
                    "localhost.evil.example",
                    "evil-localhost",
                    "128.0.0.1",
                    "0.0.0.0",
                    "127.0.0",
                    "127.0.0.1.1",
                    "127.0.0.01",
                    "127.1",
                    "2130706433",
                    "0x7f000001",
                    "[::2]",
                    "[::1",
                    "::1",
                    "localhost:",
                    "localhost:x",
                    "localhost:65536",
                    "localhost:6060:1",
                    "user@localhost",
                    "ops.example.",
                    "10.0.0.1"})
    EXPECT_FALSE(admin_host_allowed(host, hosts)) << host;
}

TEST(AdminGuard, ChangesNeedPost) {
  for (auto method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "post"}) {
    AdminRequest request = post("127.0.0.1:6060");
    request.method = method;
    EXPECT_EQ(judge(request), AdminVerdict::wrong_method) << method;
  }
  EXPECT_EQ(judge(post("127.0.0.1:6060")), AdminVerdict::allowed);
}

TEST(AdminGuard, ReboundNameIsRefusedEvenForReading) {
  EXPECT_EQ(judge(post("evil.example:6060")), AdminVerdict::unknown_host);
  AdminRequest read{.method = "GET", .host = "evil.example:6060", .origin = {}, .fetch_site = {}};
  EXPECT_EQ(judge(read), AdminVerdict::unknown_host);
  read.health = true;  // a load balancer knows no name
  EXPECT_EQ(judge(read), AdminVerdict::allowed);
}

TEST(AdminGuard, ForeignOriginIsRefused) {
  for (auto origin :
       {"http://evil.example", "null", "http://localhost:3000", "http://127.0.0.1", "file://",
        "chrome-extension://abc", "http://127.0.0.1:6060.evil.example", "127.0.0.1:6060"}) {
    AdminRequest request = post("127.0.0.1:6060");
    request.origin = origin;
    EXPECT_EQ(judge(request), AdminVerdict::foreign_origin) << origin;
  }
  for (auto origin : {"http://127.0.0.1:6060", "https://127.0.0.1:6060"}) {
    AdminRequest request = post("127.0.0.1:6060");
    request.origin = origin;
    EXPECT_EQ(judge(request), AdminVerdict::allowed) << origin;
  }
}

TEST(AdminGuard, CrossSiteFetchMayReadButNeverChange) {
  for (auto site : {"cross-site", "same-site"}) {
    AdminRequest request = post("localhost:6060");
    request.fetch_site = site;
    EXPECT_EQ(judge(request), AdminVerdict::foreign_origin) << site;
    request.changes = false;
    request.method = "GET";
    EXPECT_EQ(judge(request), AdminVerdict::allowed) << site;
  }
}

TEST(AdminGuard, ConfiguredTokenIsNeededForAllButHealth) {
  AdminRequest request = post("ops.example");
  EXPECT_EQ(judge(request, true), AdminVerdict::token_missing);
  request.ops_token = true;
  EXPECT_EQ(judge(request, true), AdminVerdict::allowed);
  AdminRequest read{.method = "GET", .host = "ops.example", .origin = {}, .fetch_site = {}};
  EXPECT_EQ(judge(read, true), AdminVerdict::token_missing);
  read.health = true;
  EXPECT_EQ(judge(read, true), AdminVerdict::allowed);
}

TEST(AdminGuard, TokenDoesNotExcuseAForeignOrigin) {
  AdminRequest request = post("ops.example");
  request.ops_token = true;
  request.origin = "https://evil.example";
  EXPECT_EQ(judge(request, true), AdminVerdict::foreign_origin);
}

}  // namespace
}  // namespace vesper
