// Goal: every bound of a listener holds, and whatever a client does, nothing of it stays behind.
// Method: a real server in this thread, on time that the test moves.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <deque>
#include <optional>

#include "http/test_server.hpp"

namespace vesper::test {
namespace {

using Statuses = std::vector<int>;
constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view half = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Len";

template <class Service>
RawClient client_of(TestServer<Service>& host) {
  return RawClient{host.port, host.pumping()};
}
template <class Service>
void expect_nothing_left(TestServer<Service>& host) {
  for (int i = 0; i < 5; ++i) host.advance(std::chrono::milliseconds{200});  // it may linger
  EXPECT_EQ(host.server.figures().connections, 0U);
  EXPECT_EQ(host.load->connections, 0U);
  EXPECT_EQ(host.telemetry.of(Gauge::connections_open), 0);
  host.advance(std::chrono::seconds{1});
  EXPECT_EQ(host.server.figures().buffers, 0U);
}
std::string post(std::size_t length, std::string_view path = "/a") {
  return "POST " + std::string{path} +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

/// Keeps requests waiting until the test lets them go.
class HeldService : public EchoService {
 public:
  asio::awaitable<void> serve(Exchange& exchange) override {
    ++waiting;
    asio::steady_timer gate{co_await asio::this_coro::executor};
    gate.expires_at(asio::steady_timer::time_point::max());
    gates.push_back(&gate);
    boost::system::error_code error;
    co_await gate.async_wait(asio::redirect_error(asio::use_awaitable, error));
    --waiting;
    co_await EchoService::serve(exchange);
  }
  void let_go() {
    for (auto* gate : gates) gate->cancel();
    gates.clear();
  }
  std::vector<asio::steady_timer*> gates;
  int waiting = 0;
};

TEST(HttpTimeoutTest, ASlowHeadGets408AndTheEnd) {
  TestServer<> host;
  auto c = client_of(host);
  c.send(half);
  const auto took = host.time_to_end(c, std::chrono::seconds{60});
  EXPECT_EQ(split_responses(c.received()).statuses(), Statuses{408});
  EXPECT_GE(took, std::chrono::seconds{10});
  EXPECT_LE(took, std::chrono::seconds{12});
  expect_nothing_left(host);
}

TEST(HttpTimeoutTest, DrippingAHeadDoesNotProlongIt) {
  TestServer<> host;
  auto c = client_of(host);
  const std::string head =
      std::string{get.substr(0, get.size() - 2)} + "A: " + std::string(500, 'b');
  Duration passed{};
  for (std::size_t i = 0; c.poll() && i < head.size(); ++i) {
    c.send(head.substr(i, 1));
    host.advance(std::chrono::milliseconds{100});
    passed += std::chrono::milliseconds{100};
  }
  EXPECT_EQ(split_responses(c.read_to_end()).statuses(), Statuses{408});
  EXPECT_LE(passed, std::chrono::seconds{12});
}

TEST(HttpTimeoutTest, AnIdleConnectionIsClosedWithoutAWord) {
  TestServer<> host;
  auto fresh = client_of(host), used = client_of(host);
  used.send(get);
  EXPECT_EQ(used.read(1).statuses(), Statuses{200});
  const auto took = host.time_to_end(fresh, std::chrono::seconds{200});
  EXPECT_GE(took, std::chrono::seconds{75});
  EXPECT_LE(took, std::chrono::seconds{76});
  EXPECT_EQ(fresh.received(), "");
  used.read_to_end();
  EXPECT_EQ(split_responses(used.received()).statuses(), Statuses{200});
  expect_nothing_left(host);
}

TEST(HttpTimeoutTest, ABodyBelowTheMinimumRateGets408AndOneAboveDoesNot) {
  for (const bool enough : {false, true}) {
    TestServer<> host;
    auto c = client_of(host);
    c.send(post(60'000));
    const std::string second(enough ? 600 : 400, 'b');
    for (int i = 0; i < 100 && c.poll(); ++i) {
      c.send(second);
      host.advance(std::chrono::seconds{1});
    }
    c.poll();
    EXPECT_EQ(split_responses(c.received()).statuses(), Statuses{enough ? 200 : 408});
  }
}

TEST(HttpTimeoutTest, ASlowChunkedBodyGets408) {
  TestServer<> host;
  auto c = client_of(host);
  c.send("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
  EXPECT_LE(host.time_to_end(c, std::chrono::seconds{60}), std::chrono::seconds{12});
  EXPECT_EQ(split_responses(c.received()).statuses(), Statuses{408});
  expect_nothing_left(host);
}

TEST(HttpTimeoutTest, AClientThatDoesNotReadIsLetGo) {
  TestServer<> host;
  auto c = client_of(host);
  c.send("GET /large?20000000 HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int i = 0; i < 19; ++i) host.advance(std::chrono::seconds{1});
  EXPECT_EQ(host.server.figures().connections, 1U);
  for (int i = 0; i < 3; ++i) host.advance(std::chrono::seconds{1});
  expect_nothing_left(host);
}

TEST(HttpTimeoutTest, ALargeAnswerArrivesWhole) {
  TestServer<> host;
  auto c = client_of(host);
  c.send("GET /large?20000000 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const auto got = split_responses(c.read_to_end());
  ASSERT_EQ(got.fault, "");
  EXPECT_EQ(got.list.at(0).body, std::string(20'000'000, 'x'));
}

TEST(HttpTimeoutTest, AfterAFaultTheConnectionEndsWithinASecond) {
  TestServer<> host;
  auto c = client_of(host);
  c.send("GET /a b HTTP/1.1\r\n\r\n" + std::string{get});
  c.poll();
  EXPECT_EQ(split_responses(c.received()).statuses(), Statuses{400});
  EXPECT_EQ(host.server.figures().connections, 1U);  // lingers for what is on its way
  for (Duration passed{}; passed < std::chrono::seconds{1}; passed += host.step)
    host.advance(host.step);
  expect_nothing_left(host);
  EXPECT_EQ(host.service.begun, 0);
}

TEST(HttpDisconnectTest, WhereverAClientLeavesNothingStays) {
  const std::string whole = post(9'000) + std::string(9'000, 'b');
  const std::string chunks =
      "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  TestServer<> host;
  for (const auto& request : {whole, chunks})
    for (std::size_t size = 0; size < request.size(); size += size < 200 ? 1 : 997) {
      for (const bool with_reset : {false, true}) {
        auto c = client_of(host);
        c.send(std::string_view{request}.substr(0, size));
        if (with_reset) c.reset();
      }
      host.pump();
      host.pump();
      ASSERT_EQ(host.server.figures().connections, 0U) << "after " << size << " bytes";
    }
  EXPECT_EQ(host.service.served, 0);
  expect_nothing_left(host);
}

TEST(HttpDisconnectTest, AClientThatLeavesWhileServedHoldsNothingAfterwards) {
  TestServer<HeldService> host;
  for (int i = 0; i < 10; ++i) {
    auto c = client_of(host);
    c.send(get);
    c.reset();
  }
  EXPECT_EQ(host.service.waiting, 10);
  host.service.let_go();
  expect_nothing_left(host);
}

TEST(HttpDisconnectTest, AHalfClosedClientStillGetsItsAnswer) {
  TestServer<HeldService> host;
  auto c = client_of(host);
  c.send(get);
  c.finish_sending();
  host.service.let_go();
  EXPECT_EQ(split_responses(c.read_to_end()).statuses(), Statuses{200});
  expect_nothing_left(host);
}

TEST(HttpBoundTest, BodiesOfEverySizeArriveAsSent) {
  TestServer<> host;
  auto c = client_of(host);
  std::size_t answers = 0;
  for (const std::size_t size :
       {1, 8'000, 8'100, 8'192, 8'193, 65'535, 65'536, 65'537, 1'048'576}) {
    std::string body(size, ' ');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i % 23);
    c.send(post(size) + body);
    const auto got = c.read(++answers);
    ASSERT_EQ(got.list.back().status, 200) << size;
    ASSERT_EQ(nlohmann::json::parse(got.list.back().body)["body"], body) << size;
  }
}

TEST(HttpBoundTest, TheBodyLimitHoldsAtItsEdge) {
  HttpLimits limits;
  limits.body_bytes_max = 100;
  TestServer<> host{limits};
  const auto chunked = [](const std::string& size, std::size_t bytes) {
    return "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + size + "\r\n" +
           std::string(bytes, 'b') + "\r\n0\r\n\r\n";
  };
  auto c = client_of(host);
  c.send(post(100) + std::string(100, 'b') + chunked("64", 100));
  EXPECT_EQ(c.read(2).statuses(), (Statuses{200, 200}));
  c.send(post(101));  // refused before the body comes
  EXPECT_EQ(split_responses(c.read_to_end()).statuses(), (Statuses{200, 200, 413}));
  auto d = client_of(host);
  d.send(chunked("65", 101) + std::string{get});
  EXPECT_EQ(split_responses(d.read_to_end()).statuses(), Statuses{413});
  auto e = client_of(host);
  e.send(post(101, "/limit?101") + std::string(101, 'b'));
  EXPECT_EQ(e.read(1).statuses(), Statuses{200});
}

TEST(HttpBoundTest, ConnectionsPastTheLimitGet503) {
  HttpLimits limits;
  limits.connections_max = 3;
  TestServer<> host{limits};
  std::deque<RawClient> clients;
  for (int i = 0; i < 3; ++i) clients.emplace_back(host.port, host.pumping());
  auto fourth = client_of(host);
  fourth.send(get);
  EXPECT_EQ(split_responses(fourth.read_to_end()).statuses(), Statuses{503});
  EXPECT_EQ(host.telemetry.of(Counter::connections_refused), 1U);
  clients.pop_back();
  host.pump();
  auto fifth = client_of(host);
  fifth.send(get);
  EXPECT_EQ(fifth.read(1).statuses(), Statuses{200});
}

TEST(HttpBoundTest, BytesPastTheLimitGet503) {
  HttpLimits limits;
  limits.bytes_in_flight_max = 100 * 1024;
  TestServer<> host{limits};
  auto fits = client_of(host);
  fits.send(post(60'000) + std::string(60'000, 'b'));
  EXPECT_EQ(fits.read(1).statuses(), Statuses{200});
  auto c = client_of(host);
  c.send(post(200'000) + std::string(100'000, 'b'));
  EXPECT_EQ(split_responses(c.read_to_end()).statuses(), Statuses{503});
  std::deque<RawClient> slow;
  for (int i = 0; i < 20; ++i) slow.emplace_back(host.port, host.pumping()).send(half);
  EXPECT_LE(host.load->bytes, limits.bytes_in_flight_max);
  slow.back().poll();
  EXPECT_EQ(split_responses(slow.back().received()).statuses(), Statuses{503});
  slow.clear();
  fits.reset();
  expect_nothing_left(host);
}

TEST(HttpBoundTest, ABlockThatFillsTheCeilingIsGivenAndOneByteMoreIsNot) {
  const auto load = make_http_load();
  load->bytes_max = 10'000;
  load->bytes_tried = 9'999;
  BlockPool pool{load};
  Block all = pool.take(10'000);
  EXPECT_TRUE(all);
  EXPECT_FALSE(pool.take(1));
  EXPECT_EQ(pool.take_past_tried(), 1u);
  load->bytes_max = 10'001;
  Block one = pool.take(1);
  EXPECT_TRUE(one);
  load->bytes_max = 5'000;  // what is held stays
  pool.give_back(std::move(all));
  EXPECT_FALSE(pool.take(5'000));
  pool.give_back(std::move(one));
  Block within = pool.take(5'000);
  EXPECT_TRUE(within);
  pool.give_back(std::move(within));
  EXPECT_EQ(load->bytes, 0u);
}

/// Takes one connection of each address.
class OnlyOneService : public EchoService {
 public:
  bool connected(const PeerAddress& peer) override {
    EXPECT_EQ(peer, *parse_peer_address("127.0.0.1"));
    return open++ == 0 || --open == 0;
  }
  void disconnected(const PeerAddress&) override { --open; }
  int open = 0;
};

TEST(HttpBoundTest, ConnectionsThatTheServiceDoesNotTakeGet429) {
  TestServer<OnlyOneService> host;
  auto first = std::make_unique<RawClient>(host.port, host.pumping());
  first->send(get);
  EXPECT_EQ(first->read(1).statuses(), Statuses{200});
  RawClient second{host.port, host.pumping()};
  second.send(get);
  EXPECT_EQ(split_responses(second.read_to_end()).statuses(), Statuses{429});
  EXPECT_EQ(host.telemetry.of(Counter::connections_refused), 0u) << "the server has room";
  first.reset();
  host.pump();
  EXPECT_EQ(host.service.open, 0);
  RawClient third{host.port, host.pumping()};
  third.send(get);
  EXPECT_EQ(third.read(1).statuses(), Statuses{200});
}

TEST(HttpBoundTest, AThousandIdleConnectionsHoldNoBuffers) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  TestServer<> host;
  std::deque<RawClient> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.emplace_back(host.port, host.pumping()).send(get);
    EXPECT_EQ(clients.back().read(1).statuses(), Statuses{200});
  }
  clients.front().send(half);
  clients.front().poll();
  host.advance(std::chrono::milliseconds{200});
  EXPECT_EQ(host.server.figures().buffers, 1U);  // the control: buffers are counted
  clients.front().send("gth: 0\r\n\r\n");
  EXPECT_EQ(clients.front().read(2).statuses(), (Statuses{200, 200}));
  host.advance(std::chrono::milliseconds{200});
  EXPECT_EQ(host.server.figures().buffers, 0U);
  EXPECT_EQ(host.server.figures().connections, 1000U);
  for (auto& c : clients) c.send(get);
  clients.pop_front();
  for (auto& c : clients) EXPECT_EQ(c.read(2).statuses(), (Statuses{200, 200}));
}

std::optional<std::size_t> begin_drain(asio::io_context& context, HttpServer& server,
                                       Instant deadline, std::optional<std::size_t>& result) {
  asio::co_spawn(context, server.drain({deadline}),
                 [&result](const std::exception_ptr&, std::size_t cut) { result = cut; });
  return result;
}

TEST(HttpDrainTest, LetsRequestsInFlightEndAndClosesTheRest) {
  TestServer<HeldService> host;
  auto idle = client_of(host), busy = client_of(host), slow = client_of(host);
  busy.send(get);
  slow.send(half);
  std::optional<std::size_t> result;
  begin_drain(host.context, host.server, host.clock.now() + std::chrono::seconds{10}, result);
  host.pump();
  EXPECT_FALSE(idle.poll());
  EXPECT_TRUE(busy.poll());
  EXPECT_THROW(client_of(host), std::runtime_error);
  slow.send("gth: 0\r\n\r\n");
  host.service.let_go();
  for (auto* c : {&busy, &slow}) {
    const auto got = split_responses(c->read_to_end());
    ASSERT_EQ(got.statuses(), Statuses{200});
    EXPECT_EQ(got.list[0].header("connection"), "close");
  }
  for (int i = 0; i < 5; ++i) host.advance(std::chrono::milliseconds{200});
  EXPECT_EQ(result, 0U);
}

TEST(HttpDrainTest, CutsOffWhatIsLeftAtTheDeadline) {
  TestServer<HeldService> host;
  auto slow = client_of(host);
  slow.send(half);
  std::optional<std::size_t> result;
  begin_drain(host.context, host.server, host.clock.now() + std::chrono::seconds{5}, result);
  host.advance(std::chrono::milliseconds{4'900});
  EXPECT_EQ(result, std::nullopt);
  for (int i = 0; i < 10; ++i) host.advance(std::chrono::milliseconds{50});
  EXPECT_EQ(result, 1U);
  host.pump();
  EXPECT_FALSE(slow.poll());
  EXPECT_EQ(host.server.figures().connections, 0U);
}

TEST(HttpListenTest, SharesAPortAmongShardsButNotWithAnotherServer) {
  TestServer<> host;
  HttpServer join{host.context, {host.service, host.clock, host.telemetry, {}, host.load, {}}};
  EXPECT_EQ(join.listen("127.0.0.1", host.port, HttpServer::Share::join).value_or(0), host.port);
  HttpServer other{host.context,
                   {host.service, host.clock, host.telemetry, {}, make_http_load(), {}}};
  const auto refused = other.listen("127.0.0.1", host.port, HttpServer::Share::first);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ListenError::in_use);
  const auto bad = other.listen("nowhere", 0, HttpServer::Share::first);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, ListenError::bad_address);
  for (int i = 0; i < 20; ++i) {
    auto c = client_of(host);
    c.send(get);
    EXPECT_EQ(c.read(1).statuses(), Statuses{200});
  }
}

}  // namespace
}  // namespace vesper::test
