#include "io/http/request_parser.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "io/http/chunked_body.hpp"
#include "io/http/reply_writer.hpp"

namespace vesper {
namespace {

struct ParserTest : testing::Test {
  ParsedHead parse(std::string_view bytes) { return parse_request_head(bytes, room, head, limits); }
  std::array<Header, header_room> room;
  RequestHead head;
  HeadLimits limits;
};

TEST_F(ParserTest, GivesEveryPartOfAHead) {
  const std::string text =
      "PUT /trials/a%20b?x=1&y=2?z HTTP/1.1\r\nHost: h:80\r\nContent-Length:  12 \r\n"
      "X-A:\t b c\t\r\nexpect: 100-Continue\r\n\r\nbody";
  const auto parsed = parse(text);
  ASSERT_EQ(parsed.state, ParseState::complete);
  EXPECT_EQ(parsed.bytes, text.size() - 4);
  EXPECT_EQ(head.method, Method::put);
  EXPECT_EQ(head.method_name, "PUT");
  EXPECT_EQ(head.path, "/trials/a%20b");
  EXPECT_EQ(head.query, "x=1&y=2?z");
  EXPECT_TRUE(head.has_content_length);
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_FALSE(head.chunked);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.expects_continue);
  EXPECT_EQ(head.minor_version, 1);
  ASSERT_EQ(head.headers.size(), 4U);
  EXPECT_EQ(head.headers[2].name, "X-A");
  EXPECT_EQ(head.headers[2].value, "b c");
}

TEST_F(ParserTest, TellsMethodsApartByExactName) {
  const std::vector<std::pair<std::string, Method>> methods{
      {"GET", Method::get},       {"HEAD", Method::head},   {"POST", Method::post},
      {"PUT", Method::put},       {"DELETE", Method::del},  {"OPTIONS", Method::options},
      {"get", Method::other},     {"PATCH", Method::other}, {"GETS", Method::other},
      {"M-SEARCH", Method::other}};
  for (const auto& [name, method] : methods) {
    const std::string text = name + " / HTTP/1.1\r\nHost: h\r\n\r\n";
    ASSERT_EQ(parse(text).state, ParseState::complete) << name;
    EXPECT_EQ(head.method, method) << name;
    EXPECT_EQ(head.method_name, name);
  }
}

TEST_F(ParserTest, DecidesOnKeepAlive) {
  const auto kept = [&](const std::string& version, const std::string& connection) {
    const std::string line = connection.empty() ? "" : "Connection: " + connection + "\r\n";
    EXPECT_EQ(parse("GET / HTTP/" + version + "\r\nHost: h\r\n" + line + "\r\n").state,
              ParseState::complete);
    return head.keep_alive;
  };
  EXPECT_TRUE(kept("1.1", ""));
  EXPECT_FALSE(kept("1.1", "close"));
  EXPECT_FALSE(kept("1.1", "Keep-Alive , CLOSE"));
  EXPECT_TRUE(kept("1.1", "closed"));
  EXPECT_FALSE(kept("1.0", ""));
  EXPECT_TRUE(kept("1.0", "keep-alive"));
  EXPECT_FALSE(kept("1.0", "keep-alive, close"));
}

TEST_F(ParserTest, FindsABadByteAtEveryPlaceOfAValue) {
  for (std::size_t length = 1; length < 70; ++length)
    for (std::size_t at = 0; at < length; ++at)
      for (const char bad : {'\0', '\x01', '\x08', '\n', '\v', '\x1f', '\x7f'}) {
        std::string value(length, 'v');
        value[at] = bad;
        ASSERT_EQ(parse("GET / HTTP/1.1\r\nHost: h\r\nA: " + value + "\r\n\r\n").fault.status, 400)
            << length << " " << at;
      }
  std::string every;
  for (int c = 0x20; c < 0x100; ++c)
    if (c != 0x7f) every += static_cast<char>(c);
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\nA: x\t" + every + "x\r\n\r\n";
  ASSERT_EQ(parse(text).state, ParseState::complete);
  EXPECT_EQ(head.headers[1].value, "x\t" + every + "x");
}

TEST_F(ParserTest, TakesALengthUpToNineteenDigits) {
  const auto status = [&](const std::string& length) {
    return parse("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + length + "\r\n\r\n")
        .fault.status;
  };
  EXPECT_EQ(status("9999999999999999999"), 0);
  EXPECT_EQ(head.content_length, 9'999'999'999'999'999'999ULL);
  EXPECT_EQ(status("10000000000000000000"), 400);
}

TEST_F(ParserTest, TakesAnAbsoluteTargetApart) {
  ASSERT_EQ(parse("GET http://h:80?a HTTP/1.1\r\nHost: H:80\r\n\r\n").state, ParseState::complete);
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "a");
  ASSERT_EQ(parse("GET https://h/p HTTP/1.0\r\n\r\n").state, ParseState::complete);
  EXPECT_EQ(head.path, "/p");
  ASSERT_EQ(parse("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").state, ParseState::complete);
  EXPECT_EQ(head.path, "*");
}

TEST_F(ParserTest, CodingFaultsComeBeforeExpectations) {
  const std::string top = "POST / HTTP/1.1\r\nHost: h\r\nExpect: x\r\nTransfer-Encoding: ";
  EXPECT_EQ(parse(top + "gzip\r\n\r\n").fault.status, 501);
  EXPECT_EQ(parse(top + "chunked\r\n\r\n").fault.status, 417);
  EXPECT_EQ(parse(top + "gzip\r\nContent-Length: 1\r\n\r\n").fault.status, 400);
}

TEST_F(ParserTest, LooksAtNoByteBehindTheEnd) {
  // Exact allocations: the address sanitizer sees any byte read too many.
  const std::string text =
      "GET /abc HTTP/1.1\r\nHost: h\r\nA: " + std::string(40, 'b') + "\r\n\r\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::vector<char> exact(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
    const auto parsed = parse({exact.data(), exact.size()});
    EXPECT_EQ(parsed.state, size == text.size() ? ParseState::complete : ParseState::more);
  }
}

TEST(ChunkedDecoderTest, HoldsTheLimitAtItsEdge) {
  const auto decode = [](std::string_view bytes, std::uint64_t limit) {
    ChunkedDecoder decoder{limit};
    ChunkedDecoder::Step step;
    do {
      step = decoder.next(bytes);
      bytes.remove_prefix(step.consumed);
    } while (step.state == ParseState::more && !bytes.empty());
    return step;
  };
  EXPECT_EQ(decode("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 5).state, ParseState::complete);
  EXPECT_EQ(decode("3\r\nabc\r\n3\r\n", 5).fault.status, 413);
  EXPECT_EQ(decode("ffffffffffffffff\r\n", 5).fault.status, 413);
  EXPECT_EQ(decode("1\r\n", 0).fault.status, 413);
  EXPECT_EQ(decode("0\r\n\r\n", 0).state, ParseState::complete);
  const auto trailer = [](std::size_t bytes) {
    return "0\r\nA:" + std::string(bytes - 6, 'b') + "\r\n\r\n";
  };
  EXPECT_EQ(decode(trailer(ChunkedDecoder::trailer_bytes_max), 5).state, ParseState::complete);
  EXPECT_EQ(decode(trailer(ChunkedDecoder::trailer_bytes_max + 1), 5).fault.status, 431);
  const auto extension = [](std::size_t bytes) {
    return "0;" + std::string(bytes - 1, 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(decode(extension(ChunkedDecoder::extension_bytes_max), 5).state, ParseState::complete);
  EXPECT_EQ(decode(extension(ChunkedDecoder::extension_bytes_max + 1), 5).fault.status, 400);
}

TEST(ReplyWriterTest, WritesLengthAlwaysButFor204And304) {
  Reply reply;
  reply.status = 201;
  reply.content_type = "text/plain";
  reply.add_header("Location", "/a");
  reply.body = "abc";
  std::string out;
  append_reply_head(out, reply, {.date_line = "Date: x\r\n", .close = true});
  EXPECT_EQ(out,
            "HTTP/1.1 201 Created\r\nDate: x\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
            "Location: /a\r\nConnection: close\r\n\r\n");
  for (const int status : {204, 304}) {
    reply.reset();
    reply.status = static_cast<std::uint16_t>(status);
    out.clear();
    append_reply_head(out, reply, {});
    EXPECT_EQ(out.find("Content-Length"), out.npos);
  }
  reply.reset();
  reply.status = 503;
  out.clear();
  append_reply_head(out, reply, {.keep_alive = true});
  EXPECT_EQ(out,
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
            "Connection: keep-alive\r\n\r\n");
}

TEST(ReplyWriterTest, WritesDatesAsHttpHasThem) {
  using namespace std::chrono;
  EXPECT_EQ(date_line(WallTime{milliseconds{784'111'777'999}}),
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}

}  // namespace
}  // namespace vesper
