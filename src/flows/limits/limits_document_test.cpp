#include "flows/limits/limits_document.hpp"

#include <gtest/gtest.h>

namespace vesper {
namespace {

using admission::Limits;
using namespace std::chrono_literals;

std::string text_of(const Limits& limits) {
  JsonText json;
  write_limits(json, limits);
  return json.take();
}

TEST(LimitsDocument, WhatIsWrittenIsReadAgain) {
  Limits limits;
  limits.dry_run = true;
  limits.standard.patient_per_minute = 3;
  limits.trials["T"].trial_burst = 7;
  limits.weights["T"] = 2;
  limits.ceilings = {1, 2, 3};
  limits.address = {1.5, 2, 3, 4.5, 5};
  limits.door = {false, 90ms, 30ms, 80ms, 25ms, 40, 1000, 32 << 20};
  const auto read = patch_limits({}, text_of(limits));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, limits);
}

TEST(LimitsDocument, WhatIsNotNamedStays) {
  Limits limits;
  limits.address.connections_max = 9;
  limits.door.wait_max = 77ms;
  const auto read = patch_limits(
      limits, R"({"addresses":{"requestsPerSecond":0.5},"door":{"bytesInFlightMax":1048576}})");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->address.connections_max, 9u);
  EXPECT_EQ(read->address.requests_per_second, 0.5);
  EXPECT_EQ(read->door.wait_max, 77ms);
  EXPECT_EQ(read->door.bytes_in_flight_max, 1u << 20);
}

TEST(LimitsDocument, EveryNumberIsTakenToItsEdge) {
  for (const char* text :
       {R"({"door":{"waitMaxMs":1}})", R"({"door":{"waitMaxMs":60000}})",
        R"({"door":{"refusalSharePercent":1}})", R"({"door":{"refusalSharePercent":90}})",
        R"({"door":{"connectionsMax":1}})", R"({"door":{"connectionsMax":1000000}})",
        R"({"door":{"bytesInFlightMax":1099511627776}})", R"({"addresses":{"connectionsMax":0}})",
        R"({"addresses":{"connectionsMax":1000000}})", R"({"connections":{"burst":1000000000}})"})
    EXPECT_TRUE(patch_limits({}, text)) << text;
}

TEST(LimitsDocument, WhatIsPastItsEdgeIsAFaultThatNamesIt) {
  const std::pair<const char*, const char*> faults[] = {
      {R"({"door":{"waitMaxMs":0}})", "door.waitMaxMs"},
      {R"({"door":{"waitMaxMs":60001}})", "door.waitMaxMs"},
      {R"({"door":{"waitOverloadedMaxMs":1.5}})", "door.waitOverloadedMaxMs"},
      {R"({"door":{"journalWaitMaxMs":"5"}})", "door.journalWaitMaxMs"},
      {R"({"door":{"journalWaitOverloadedMaxMs":-1}})", "door.journalWaitOverloadedMaxMs"},
      {R"({"door":{"refusalSharePercent":91}})", "door.refusalSharePercent"},
      {R"({"door":{"connectionsMax":0}})", "door.connectionsMax"},
      {R"({"door":{"bytesInFlightMax":1048575}})", "door.bytesInFlightMax"},
      {R"({"door":{"enabled":1}})", "door.enabled"},
      {R"({"door":{"waitMax":1}})", "door.waitMax"},
      {R"({"door":[]})", "door"},
      {R"({"addresses":{"connectionsMax":1000001}})", "addresses.connectionsMax"},
      {R"({"addresses":{"requestsPerSecond":-1}})", "addresses.requestsPerSecond"},
      {R"({"addresses":{"perSecond":1}})", "addresses.perSecond"},
      {R"({"connections":{"burst":0.5}})", "connections.burst"},
      {R"({"connections":{"connectionsMax":1}})", "connections.connectionsMax"}};
  for (const auto& [text, named] : faults) {
    const auto read = patch_limits({}, text);
    ASSERT_FALSE(read) << text;
    EXPECT_TRUE(read.error().starts_with(std::string{named} + ":")) << read.error();
  }
}

}  // namespace
}  // namespace vesper
