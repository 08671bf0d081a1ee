#include "flows/admin/admin_service.hpp"

#include <gtest/gtest.h>

#include <array>

namespace vesper {
namespace {

constexpr Route sound{.pattern = "/things/{id}",
                      .name = "readThing",
                      .authentication = Authentication::operator_reads,
                      .deadline = 2s,
                      .summary = "A thing"};

AdminService serving(std::span<const Route> routes) {
  return {[](Exchange&, bool) { return false; }, [](std::uint16_t, std::string_view, Reply&) {},
          routes};
}

asio::awaitable<void> nothing(Exchange&, std::string_view) {
  co_return;
}

TEST(AdminService, ARowWithoutADeadlineKeepsTheServerFromStarting) {
  std::array rows{sound};
  rows[0].deadline = 0ms;
  AdminService service = serving(rows);
  service.add(Method::get, "/things/{id}", nothing);
  EXPECT_EQ(service.fault(), "route GET /things/{id} states no deadline");
}

TEST(AdminService, AHandlerWithoutARowKeepsTheServerFromStarting) {
  const std::array rows{sound};
  AdminService service = serving(rows);
  service.add(Method::get, "/things/{id}", nothing);
  EXPECT_EQ(service.fault(), std::nullopt);
  service.add(Method::post, "/planted", nothing);
  EXPECT_EQ(service.fault(),
            "route POST /planted is served, but has no row of its own in the route table");
}

TEST(AdminService, ARowThatNothingServesKeepsTheServerFromStarting) {
  const std::array rows{sound};
  EXPECT_EQ(serving(rows).fault(),
            "route GET /things/{id} stands in the route table, but nothing serves it");
}

TEST(AdminService, TheRowsDeadlineAndBodyLimitAreTheRequests) {
  const std::array rows{sound, Route{.method = Method::post,
                                     .pattern = "/things",
                                     .name = "make",
                                     .deadline = 3s,
                                     .body = RouteBody::json,
                                     .body_limit_bytes = 77,
                                     .summary = "Make one"}};
  AdminService service = serving(rows);
  Exchange exchange;
  exchange.started = Instant{5s};
  exchange.head.path = "/things/7/";
  EXPECT_FALSE(service.begin(exchange));
  EXPECT_EQ(exchange.deadline.at, Instant{7s});
  exchange.head.method = Method::post;
  exchange.head.path = "/things";
  EXPECT_FALSE(service.begin(exchange));
  EXPECT_EQ(exchange.body_limit_bytes, 77u);
  exchange.head.path = "/things/7";
  EXPECT_TRUE(service.begin(exchange));
  EXPECT_EQ(exchange.reply.status, 405);
  EXPECT_EQ(exchange.reply.headers, "Allow: GET, HEAD\r\n");
}

}  // namespace
}  // namespace vesper
