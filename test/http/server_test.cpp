#include <gtest/gtest.h>

#include "http/test_server.hpp"

namespace vesper::test {
namespace {

using Statuses = std::vector<int>;

struct HttpServerTest : testing::Test {
  TestServer<> host;
  RawClient client() { return RawClient{host.port, host.pumping()}; }
};

nlohmann::json body_of(const RawResponse& response) {
  return nlohmann::json::parse(response.body);
}

constexpr std::string_view get = "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view last = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

TEST_F(HttpServerTest, AnswersWithLengthDateAndWhatItUnderstood) {
  auto c = client();
  c.send("POST /p?q=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  const auto got = c.read(1);
  ASSERT_EQ(got.fault, "");
  ASSERT_EQ(got.statuses(), Statuses{200});
  const auto body = body_of(got.list[0]);
  EXPECT_EQ(body["method"], "POST");
  EXPECT_EQ(body["path"], "/p");
  EXPECT_EQ(body["query"], "q=1");
  EXPECT_EQ(body["body"], "hello");
  EXPECT_EQ(body["peer"], parse_peer_address("127.0.0.1")->bytes);
  EXPECT_EQ(body["secure"], false);
  EXPECT_EQ(got.list[0].header("content-type"), "application/json");
  EXPECT_EQ(got.list[0].header("date"), "Mon, 24 Nov 2025 17:00:00 GMT");
  EXPECT_EQ(got.list[0].header("connection"), "");
}

TEST_F(HttpServerTest, KeepsAConnectionForManyRequests) {
  auto c = client();
  for (std::size_t i = 1; i <= 100; ++i) {
    c.send(get);
    ASSERT_EQ(c.read(i).list.size(), i);
  }
  EXPECT_FALSE(c.ended());
  EXPECT_EQ(host.telemetry.of(Counter::requests_2xx), 100U);
  EXPECT_EQ(host.server.figures().requests, 100U);
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInTheirOrder) {
  auto c = client();
  std::string all;
  for (int i = 0; i < 500; ++i)
    all += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  c.send(all + std::string{last});
  const auto got = split_responses(c.read_to_end());
  ASSERT_EQ(got.fault, "");
  ASSERT_EQ(got.list.size(), 501U);
  for (std::size_t i = 0; i < 500; ++i)
    ASSERT_EQ(body_of(got.list[i])["path"], "/" + std::to_string(i));
}

TEST_F(HttpServerTest, ServesHttp10AndClosesUnlessAskedToKeepAlive) {
  auto c = client();
  c.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(c.read(1).list.at(0).header("connection"), "keep-alive");
  c.send("GET / HTTP/1.0\r\n\r\n");
  const auto got = split_responses(c.read_to_end());
  ASSERT_EQ(got.statuses(), (Statuses{200, 200}));
  EXPECT_EQ(got.list[1].header("connection"), "close");
}

TEST_F(HttpServerTest, AnswersHeadWithTheLengthAndNoBody) {
  auto c = client();
  c.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n" + std::string{last});
  const auto got = split_responses(c.read_to_end(), {true, false});
  ASSERT_EQ(got.fault, "");
  ASSERT_EQ(got.statuses(), (Statuses{200, 200}));
  EXPECT_GT(std::stoi(got.list[0].header("content-length")), 0);
}

TEST_F(HttpServerTest, Sends100ContinueOnlyWhenTheBodyIsAwaited) {
  auto c = client();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  c.poll();
  EXPECT_EQ(c.received().find("HTTP/1.1 100 Continue\r\n\r\n"), 0U);
  c.send("ok");
  EXPECT_EQ(c.read(1).statuses(), (Statuses{100, 200}));
  auto whole = client();
  whole.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nok");
  EXPECT_EQ(whole.read(1).statuses(), Statuses{200});
  auto refused = client();
  refused.send(
      "POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(split_responses(refused.read_to_end()).statuses(), Statuses{401});
}

TEST_F(HttpServerTest, DrainsASmallRefusedBodyAndKeepsTheConnection) {
  auto c = client();
  const std::string body(64 * 1024, 'b');
  c.send("POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n");
  EXPECT_EQ(c.read(1).statuses(), Statuses{401});
  c.send(body + std::string{get});
  EXPECT_EQ(c.read(2).statuses(), (Statuses{401, 200}));
}

TEST_F(HttpServerTest, ClosesAfterALargeRefusedBodyWithoutLosingTheAnswer) {
  auto c = client();
  const std::string body(900 * 1024, 'b');
  c.send("POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body + std::string{get});
  const auto got = split_responses(c.read_to_end());
  ASSERT_EQ(got.statuses(), Statuses{401});
  EXPECT_EQ(got.list[0].header("connection"), "close");
  EXPECT_FALSE(c.was_reset());
}

}  // namespace
}  // namespace vesper::test
