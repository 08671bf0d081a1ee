#include "io/https_client/response_parser.hpp"

#include <gtest/gtest.h>

#include "io/https_client/url.hpp"

namespace vesper {
namespace {

using Progress = ResponseParser::Progress;

struct Read {
  Progress progress = Progress::more;
  int status = 0;
  std::string body;
  bool keep_alive = false;
  std::size_t left = 0;
};

Read read_split(std::string_view text, std::size_t at, bool close = false) {
  ResponseParser parser{64, 1000};
  Read read;
  std::string_view first = text.substr(0, at), second = text.substr(at);
  read.progress = parser.feed(first);
  read.left = first.size();
  if (read.progress == Progress::more) {
    read.progress = parser.feed(second);
    read.left = second.size();
  } else {
    read.left += second.size();
  }
  if (read.progress == Progress::more && close) read.progress = parser.end();
  read.status = parser.status();
  read.body = parser.body();
  read.keep_alive = parser.keep_alive();
  return read;
}

/// Every case is read whole and split at each byte, with the same result.
Read read_all_ways(std::string_view text, bool close = false) {
  const Read whole = read_split(text, text.size(), close);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const Read split = read_split(text, at, close);
    EXPECT_EQ(split.progress, whole.progress) << text << " split at " << at;
    if (whole.progress != Progress::done) continue;
    EXPECT_EQ(split.body, whole.body) << at;
    EXPECT_EQ(split.status, whole.status) << at;
    EXPECT_EQ(split.left, whole.left) << at;
  }
  return whole;
}

TEST(ResponseParser, ReadsCountedChunkedAndClosedBodies) {
  auto r = read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(r.progress, Progress::done);
  EXPECT_EQ(r.body, "hello");
  EXPECT_TRUE(r.keep_alive);
  r = read_all_ways(
      "HTTP/1.1 201 \r\ntransfer-encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX: "
      "y\r\n\r\n");
  EXPECT_EQ(r.progress, Progress::done);
  EXPECT_EQ(r.body, "hello");
  EXPECT_EQ(r.status, 201);
  r = read_all_ways("HTTP/1.1 200 OK\r\n\r\nhello", true);
  EXPECT_EQ(r.progress, Progress::done);
  EXPECT_EQ(r.body, "hello");
  EXPECT_FALSE(r.keep_alive);
  EXPECT_EQ(read_all_ways("HTTP/1.1 204 No\r\n\r\n").progress, Progress::done);
  EXPECT_EQ(read_all_ways("HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n").status, 503);
}

TEST(ResponseParser, PassesOverInterimResponses) {
  const auto r = read_all_ways(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.body, "x");
  std::string many;
  for (int i = 0; i < 9; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(read_all_ways(many).progress, Progress::bad);
}

TEST(ResponseParser, LeavesWhatFollowsAlone) {
  const auto r = read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 500");
  EXPECT_EQ(r.left, 12u);
}

TEST(ResponseParser, KnowsWhenTheConnectionEnds) {
  const auto keeps = [](std::string head) {
    return read_all_ways(head + "\r\nContent-Length: 0\r\n\r\n").keep_alive;
  };
  EXPECT_TRUE(keeps("HTTP/1.1 200 OK"));
  EXPECT_FALSE(keeps("HTTP/1.1 200 OK\r\nConnection: x, Close"));
  EXPECT_FALSE(keeps("HTTP/1.0 200 OK"));
  EXPECT_TRUE(keeps("HTTP/1.0 200 OK\r\nConnection: keep-alive"));
}

TEST(ResponseParser, RefusesWhatIsNotStrictHttp) {
  for (const std::string_view text : {
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 200OK\r\n\r\n",
           "HTTP/1.1 099 OK\r\n\r\n",
           "http/1.1 200 OK\r\n\r\n",
           "<html></html>\r\n\r\n",
           "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
           "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
           "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
           "HTTP/1.1 200 OK\r\nnocolon\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
           "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
           "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx",
           "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nx",
           "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\nx",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: "
           "chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
           "HTTP/1.1 101 Switching\r\n\r\n",
           "HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\nabc",
       })
    EXPECT_EQ(read_all_ways(text).progress, Progress::bad) << text;
  EXPECT_EQ(read_all_ways(std::string_view{"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", 25}).progress,
            Progress::bad);
}

TEST(ResponseParser, TakesAnEarlyCloseForAFault) {
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true).progress,
            Progress::bad);
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\n", true).progress, Progress::bad);
  EXPECT_EQ(
      read_all_ways("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", true).progress,
      Progress::bad);
}

TEST(ResponseParser, BoundsHeadAndBody) {
  const std::string start = "HTTP/1.1 200 OK\r\nA: ";
  ResponseParser parser{64, 1000};
  std::string fits =
      start + std::string(16 * 1024 - start.size() - 25, 'x') + "\r\nContent-Length: 0\r\n\r\n";
  std::string_view in = fits;
  EXPECT_EQ(parser.feed(in), Progress::done);
  parser.reset();
  const std::string large = start + std::string(17 * 1024, 'x');
  in = large;
  EXPECT_EQ(parser.feed(in), Progress::bad);

  parser.reset();
  std::string lines = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 65; ++i) lines += "A: b\r\n";
  lines += "\r\n";
  in = lines;
  EXPECT_EQ(parser.feed(in), Progress::bad);

  parser.reset();
  const std::string body =
      "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x');
  in = body;
  EXPECT_EQ(parser.feed(in), Progress::done);
  EXPECT_EQ(parser.body().size(), 64u);
  EXPECT_TRUE(parser.cut_short());
  EXPECT_FALSE(parser.unfinished());
  EXPECT_TRUE(parser.keep_alive());

  parser.reset();
  const std::string endless = "HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x');
  in = endless;
  EXPECT_EQ(parser.feed(in), Progress::done);
  EXPECT_TRUE(parser.unfinished());
  EXPECT_FALSE(parser.keep_alive());
}

TEST(Url, TakesApartWhatItAccepts) {
  const auto url = parse_url("https://Data.Example:8443/base?x=1");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "data.example");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target, "/base?x=1");
  EXPECT_EQ(url->authority(), "data.example:8443");
  EXPECT_EQ(parse_url("http://[::1]:90")->authority(), "[::1]:90");
  EXPECT_TRUE(parse_url("http://127.3.2.1")->loopback());
  EXPECT_TRUE(parse_url("http://localhost")->loopback());
  EXPECT_TRUE(parse_url("http://[::1]")->loopback());
  EXPECT_FALSE(parse_url("http://localhost.example")->loopback());
  EXPECT_FALSE(parse_url("http://10.0.0.1")->loopback());
  for (const char* bad : {"", "ftp://x", "http://", "http://a:b@c/", "http://a b/", "http://a:0/",
                          "http://a:65536/", "http://a:/", "http://[::1", "http://[a]/",
                          "http://a/\r\nX: y", "http://a/#f", "a.example"})
    EXPECT_FALSE(parse_url(bad)) << bad;
}

}  // namespace
}  // namespace vesper
