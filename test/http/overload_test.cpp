// Goal: a shard under more load than it can serve reads in order, tells the surplus, and is not
// held up by sockets that are slow or gone. Method: the real server in this thread, a service that
// takes time as the test says.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <deque>
#include <map>

#include "http/test_server.hpp"

namespace vesper::test {
namespace {

using Statuses = std::vector<int>;
constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view half = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Len";

/// Takes 10 ms for what it accepts, and refuses at once what the line calls surplus.
class BusyService : public EchoService {
 public:
  bool begin(Exchange& exchange) override {
    waited = std::max(waited, exchange.surplus ? Duration::zero() : exchange.waited);
    if (exchange.surplus) {
      explain(503, "no room", exchange.reply);
      return true;
    }
    clock->advance(std::chrono::milliseconds{10});
    return EchoService::begin(exchange);
  }
  ManualClock* clock = nullptr;
  Duration waited{};
};

struct OverloadTest : testing::Test {
  static HttpLimits limits(bool reading) {
    HttpLimits limits;
    limits.reading.enabled = reading;
    return limits;
  }
  static void raise_descriptors() {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  /// Sends one request on each of `count` connections at once; counts the answers by status.
  template <class Host>
  static std::map<int, int> offer(Host& host, int count) {
    std::deque<RawClient> clients;
    for (int i = 0; i < count; ++i) clients.emplace_back(host.port, [] {}).send(get);
    for (int i = 0; i < 10; ++i) host.advance(std::chrono::milliseconds{1});
    std::map<int, int> seen;
    for (auto& c : clients) {
      c.poll();
      for (const int status : split_responses(c.received()).statuses()) ++seen[status];
    }
    return seen;
  }
};

TEST_F(OverloadTest, TheSurplusIsToldAndTheOthersWaitNoLongerThanTheyMay) {
  TestServer<BusyService> host{limits(true)};
  host.service.clock = &host.clock;
  const auto seen = offer(host, 100);
  EXPECT_EQ(seen.at(200) + seen.at(503), 100);
  EXPECT_GE(seen.at(200), 3);
  EXPECT_LE(host.service.waited, limits(true).reading.wait.normal_max);
}

TEST_F(OverloadTest, ControlWithoutTheLineEverybodyWaitsForAllBeforeHim) {
  TestServer<BusyService> host{limits(false)};
  host.service.clock = &host.clock;
  const auto seen = offer(host, 100);
  EXPECT_EQ(seen, (std::map<int, int>{{200, 100}}));
  EXPECT_GT(host.service.waited, std::chrono::milliseconds{900});
}

TEST_F(OverloadTest, ThousandsOfSlowSocketsDoNotHoldUpTheOthers) {
  raise_descriptors();
  TestServer<> host;
  std::deque<RawClient> slow;
  for (int i = 0; i < 2000; ++i) {
    slow.emplace_back(host.port, [] {}).send(half);
    if (i % 100 == 0) host.pump();  // the backlog is bounded
  }
  host.pump();
  RawClient normal{host.port, host.pumping()};
  for (std::size_t i = 1; i <= 100; ++i) {
    for (std::size_t j = i; j < slow.size(); j += 100) slow[j].send("g");
    normal.send(get);
    ASSERT_EQ(normal.read(i).list.size(), i);
  }
}

TEST_F(OverloadTest, ClientsThatLeaveInMidRequestLeaveNothingBehind) {
  raise_descriptors();
  TestServer<> host;
  for (int round = 0; round < 10; ++round) {
    std::deque<RawClient> leaving;
    for (int i = 0; i < 500; ++i) leaving.emplace_back(host.port, [] {}).send(half);
    host.pump();
  }
  for (int i = 0; i < 10; ++i) host.advance(std::chrono::milliseconds{200});
  EXPECT_EQ(host.server.figures().connections, 0U);
  EXPECT_EQ(host.load->connections, 0U);
  EXPECT_EQ(host.server.figures().buffers, 0U);
  EXPECT_EQ(host.telemetry.of(Gauge::connections_open), 0);
}

}  // namespace
}  // namespace vesper::test
