#include "flows/routes.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vesper {
namespace {

RouteMatch match(Method method, std::string_view path) {
  return match_route(intake_routes(), method, path);
}

TEST(Routes, FindTheRowAndTheParameter) {
  const auto found = match(Method::get, "/patient/data/019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
  ASSERT_NE(found.route, nullptr);
  EXPECT_EQ(found.route->id, RouteId::read_diary);
  EXPECT_EQ(found.parameter, "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
  EXPECT_EQ(match(Method::put, "/trials/EVENING-01").route->id, RouteId::publish_trial);
  EXPECT_EQ(match(Method::get, "/trials/EVENING-01/history").route->id,
            RouteId::read_trial_history);
  EXPECT_EQ(match(Method::head, "/healthz").route->id, RouteId::healthz);
}

TEST(Routes, UnknownPathsMatchNothing) {
  for (auto path :
       {"/", "/patient", "/patient/data/", "/patient/data/a/b", "/trials/", "/trials//history",
        "/trials/a/b", "/PATIENT/DATA", "/patient/data//", "/healthz/"}) {
    const auto found = match(Method::get, path);
    EXPECT_EQ(found.route, nullptr) << path;
    EXPECT_TRUE(found.allowed_methods.empty()) << path;
  }
}

TEST(Routes, WrongMethodsAreToldTheRightOnes) {
  EXPECT_EQ(match(Method::get, "/patient/data").allowed_methods, "POST");
  EXPECT_EQ(match(Method::post, "/trials/T").allowed_methods, "GET, HEAD, PUT");
  EXPECT_EQ(match(Method::del, "/patient/data/x").allowed_methods, "GET, HEAD");
  EXPECT_EQ(match(Method::other, "/readyz").allowed_methods, "GET, HEAD");
}

TEST(Routes, PatternsMayHaveSeveralHoles) {
  const auto found = match_route(admin_routes(), Method::post, "/outbox/default/redrive/an-id");
  ASSERT_NE(found.route, nullptr);
  EXPECT_EQ(found.route->name, "redriveDelivery");
  EXPECT_EQ(found.parameter, "default");
  for (auto path : {"/outbox//redrive/x", "/outbox/default/redrive/", "/outbox/a/redrive/b/c"})
    EXPECT_EQ(match_route(admin_routes(), Method::post, path).route, nullptr) << path;
  EXPECT_EQ(match_route(admin_routes(), Method::get, "/outbox/a/pause").allowed_methods, "POST");
}

TEST(Routes, ATableIsFitToStartWith) {
  EXPECT_EQ(fault_of(intake_routes()), std::nullopt);
  EXPECT_EQ(fault_of(admin_routes()), std::nullopt);
}

TEST(Routes, APlantedRowWithoutADeadlineIsNamed) {
  std::vector<Route> routes{intake_routes().begin(), intake_routes().end()};
  routes.push_back({.pattern = "/planted", .name = "planted", .summary = "No deadline"});
  EXPECT_EQ(fault_of(routes), "route GET /planted states no deadline");
  routes.back().deadline = 1ms;
  EXPECT_EQ(fault_of(routes), std::nullopt);
  routes.push_back(routes.back());
  EXPECT_EQ(fault_of(routes), "route GET /planted stands twice in the table");
}

TEST(Routes, HealthAndAdminAreTheOnlyClassesThatTheAdminPortHas) {
  for (const auto& route : admin_routes())
    EXPECT_TRUE(route.route_class == TrafficClass::health ||
                route.route_class == TrafficClass::admin)
        << route.pattern;
}

TEST(Query, ParametersAreDecodedOnce) {
  EXPECT_EQ(query_parameter("trial=A%20B&subject=S-1", "trial"), "A B");
  EXPECT_EQ(query_parameter("trial=A%20B&subject=S-1", "subject"), "S-1");
  EXPECT_EQ(query_parameter("trial=%2541", "trial"), "%41");
  EXPECT_FALSE(query_parameter("trial=A&trial=B", "trial"));
  EXPECT_FALSE(query_parameter("trial=%4", "trial"));
  EXPECT_FALSE(query_parameter("trials=A", "trial"));
  EXPECT_EQ(query_parameter("trial", "trial"), "");
  EXPECT_FALSE(query_parameter("", "trial"));
}

}  // namespace
}  // namespace vesper
