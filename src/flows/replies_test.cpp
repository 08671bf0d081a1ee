#include "flows/replies.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "flows/health.hpp"

namespace vesper {
namespace {

int retry_after(const Reply& reply) {
  const auto at = reply.headers.find("Retry-After: ");
  int seconds = -1;
  if (at != std::string::npos)
    std::from_chars(reply.headers.data() + at + 13, reply.headers.data() + reply.headers.size(),
                    seconds);
  return seconds;
}

TEST(Replies, EveryStoreFaultTellsTheClientWhatToDo) {
  Random random{1};
  const std::pair<StoreFault, int> expected[] = {
      {StoreFault::disk_reserve, 507}, {StoreFault::queue_full, 503}, {StoreFault::timed_out, 503},
      {StoreFault::stopping, 503},     {StoreFault::broken, 503},     {StoreFault::stale, 412},
      {StoreFault::not_found, 404}};
  for (const auto& [fault, status] : expected) {
    Reply reply;
    refuse_for_store(reply, fault, random);
    EXPECT_EQ(reply.status, status);
    EXPECT_EQ(reply.content_type, fhir_json_type);
    const auto outcome = nlohmann::json::parse(reply.body);
    EXPECT_EQ(outcome["resourceType"], "OperationOutcome");
    EXPECT_FALSE(outcome["issue"].empty());
    if (status >= 503) EXPECT_GE(retry_after(reply), 1);
  }
}

TEST(Replies, RetryAfterIsSpread) {
  Random random{7};
  std::set<int> seen;
  for (int i = 0; i < 200; ++i) {
    Reply reply;
    refuse_for_now(reply, 503, IssueCode::throttled, "later", 10, random);
    const int seconds = retry_after(reply);
    EXPECT_GE(seconds, 10);
    EXPECT_LE(seconds, 20);
    seen.insert(seconds);
  }
  EXPECT_GE(seen.size(), 8u);
}

TEST(Health, ReasonsAreListedAndDrainIsOne) {
  Health health;
  Reply reply;
  health.write_ready(reply);
  EXPECT_EQ(reply.status, 200);
  bool stalled = true;
  health.add_cause("journal", [&]() -> std::optional<std::string> {
    if (stalled) return "no commit for 3 s";
    return {};
  });
  health.drain(true);
  reply.reset();
  health.write_ready(reply);
  EXPECT_EQ(reply.status, 503);
  const auto state = nlohmann::json::parse(reply.body);
  EXPECT_EQ(state["reasons"].size(), 2u);
  EXPECT_EQ(state["reasons"][1]["cause"], "journal");
  stalled = false;
  health.drain(false);
  reply.reset();
  health.write_ready(reply);
  EXPECT_EQ(reply.status, 200);
}

}  // namespace
}  // namespace vesper
