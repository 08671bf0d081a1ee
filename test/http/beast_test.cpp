// Goal: what we accept, another parser accepts too, and understands alike.
// Method: Boost.Beast's parser as differential oracle over the suite, the llhttp cases and
// thousands of mutants of valid requests.
#include <gtest/gtest.h>

#include <boost/beast/http.hpp>
#include <random>

#include "http/framing_cases.hpp"
#include "http/llhttp_cases.hpp"
#include "io/http/chunked_body.hpp"
#include "io/http/request_parser.hpp"

namespace vesper::test {
namespace {

namespace beast = boost::beast;

struct OneRequest {
  bool accepted = false;
  std::string method, target, body;
  std::size_t bytes = 0;
};

OneRequest by_us(std::string_view stream) {
  std::array<Header, header_room> room;
  RequestHead head;
  const auto parsed = parse_request_head(stream, room, head, HeadLimits{});
  if (parsed.state != ParseState::complete) return {};
  OneRequest out{true, std::string{head.method_name}, {}, {}, parsed.bytes};
  const auto line = stream.substr(stream.find(head.method_name) + head.method_name.size() + 1);
  out.target = line.substr(0, line.find(' '));
  auto rest = stream.substr(parsed.bytes);
  if (head.chunked) {
    ChunkedDecoder decoder{1 << 20};
    for (ParseState state = ParseState::more; state != ParseState::complete;) {
      const auto step = decoder.next(rest);
      if (step.state == ParseState::fault || (rest.empty() && step.state == ParseState::more))
        return {};
      out.body += step.data;
      out.bytes += step.consumed;
      rest.remove_prefix(step.consumed);
      state = step.state;
    }
    return out;
  }
  if (head.content_length > rest.size()) return {};
  out.body = rest.substr(0, head.content_length);
  out.bytes += head.content_length;
  return out;
}

OneRequest by_beast(std::string_view stream) {
  beast::http::request_parser<beast::http::string_body> parser;
  parser.header_limit(64 * 1024);
  parser.body_limit(std::uint64_t{1} << 20);
  parser.eager(true);
  beast::error_code error;
  OneRequest out;
  while (!parser.is_done() && out.bytes < stream.size()) {
    const auto rest = stream.substr(out.bytes);
    const auto taken = parser.put(boost::asio::buffer(rest), error);
    out.bytes += taken;
    if (error || taken == 0) return {};
  }
  if (!parser.is_done()) return {};
  const auto& request = parser.get();
  out.accepted = true;
  out.method = std::string{request.method_string()};
  out.target = std::string{request.target()};
  out.body = request.body();
  return out;
}

struct Tally {
  int both = 0, neither = 0;
  std::vector<std::string> beast_only;
};

void compare(const std::string& name, std::string_view stream, Tally& tally) {
  // RFC 9112 section 2.2 lets one empty line precede a request; Beast does not take it.
  const std::size_t empty_line = stream.starts_with("\r\n") ? 2 : 0;
  const auto ours = by_us(stream);
  const auto theirs = by_beast(stream.substr(empty_line));
  if (!ours.accepted) {
    theirs.accepted ? tally.beast_only.push_back(name) : void(++tally.neither);
    return;
  }
  ++tally.both;
  ASSERT_TRUE(theirs.accepted) << name << ": we accept, Beast refuses";
  ASSERT_EQ(ours.method, theirs.method) << name;
  ASSERT_EQ(ours.target, theirs.target) << name;
  ASSERT_EQ(ours.body, theirs.body) << name;
  ASSERT_EQ(ours.bytes, theirs.bytes + empty_line) << name;
}

TEST(BeastDifferentialTest, AcceptsWhatWeAcceptOfTheSuite) {
  Tally tally;
  for (const auto& one : framing_cases()) compare(one.name, one.bytes, tally);
  for (const auto& one : load_llhttp_cases().value_or(std::vector<LlhttpCase>{}))
    compare(one.name, one.bytes, tally);
  for (const auto& name : tally.beast_only)
    std::puts(("Beast accepts, we refuse: " + name).c_str());
  EXPECT_GT(tally.both, 40);
  EXPECT_GT(tally.beast_only.size(), 20U);  // the control: a lenient parser is told apart
}

TEST(BeastDifferentialTest, AgreesOnMutantsOfValidRequests) {
  const std::vector<std::string> seeds{
      "GET /a?b=c HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;a=b;c=\"d\"\r\nabc\r\n0\r\nA: b\r\n\r\n"};
  constexpr std::string_view inserts = "\r\n\t :;,/0aZ\"\\%#[]\x01\x7f\x80";
  std::mt19937 random{20'261'123};
  Tally tally;
  for (int i = 0; i < 40'000; ++i) {
    std::string mutant = seeds[random() % seeds.size()];
    for (unsigned change = 0; change <= random() % 2; ++change) {
      const auto at = random() % mutant.size();
      switch (random() % 3) {
        case 0:
          mutant.erase(at, 1);
          break;
        case 1:
          mutant.insert(at, 1, inserts[random() % inserts.size()]);
          break;
        default:
          mutant[at] = inserts[random() % inserts.size()];
      }
    }
    compare("mutant " + testing::PrintToString(mutant), mutant, tally);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(tally.both, 1'000);
  EXPECT_GT(tally.neither, 1'000);
}

}  // namespace
}  // namespace vesper::test
