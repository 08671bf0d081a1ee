// Goal: no byte stream is framed in two ways, by us or by us and another server.
// Method: one table of raw-byte cases against a real listening server and, cut at each byte,
// against the pure parser; the llhttp suite judged by an oracle of other make.
#include <gtest/gtest.h>

#include "http/framing_cases.hpp"
#include "http/llhttp_cases.hpp"
#include "http/strict_oracle.hpp"
#include "http/test_server.hpp"
#include "io/http/chunked_body.hpp"
#include "io/http/request_parser.hpp"

namespace vesper::test {
namespace {

/// Refuses everything on its head, as a port does for unknown routes.
class RefusingService : public EchoService {
 public:
  bool begin(Exchange& exchange) override {
    exchange.reply.status = 404;
    exchange.reply.content_type = "application/json";
    exchange.reply.body = "{}";
    return true;
  }
};

struct PureVerdict {
  std::vector<OracleRequest> taken;
  ParseState state = ParseState::more;  ///< of what follows the last request taken
  bool closes = false;
};

/// The stream as parser and decoder see it, fed at most `piece` bytes at a time.
PureVerdict replay(std::string_view stream, std::size_t piece) {
  PureVerdict verdict;
  std::array<Header, header_room> room;
  const HeadLimits limits;
  std::size_t begin = 0, have = std::min(piece, stream.size());
  while (!verdict.closes) {
    RequestHead head;
    const auto parsed = parse_request_head(stream.substr(begin, have - begin), room, head, limits);
    verdict.state = parsed.state;
    if (parsed.state == ParseState::fault) break;
    if (parsed.state == ParseState::more) {
      if (have == stream.size()) break;
      have = std::min(have + piece, stream.size());
      continue;
    }
    OracleRequest request{std::string{head.method_name}, {}, {}};
    const auto line = stream.substr(stream.find(head.method_name, begin));
    const auto target = line.substr(head.method_name.size() + 1);
    request.target = target.substr(0, target.find(' '));
    std::size_t at = begin + parsed.bytes;
    verdict.state = ParseState::more;
    if (head.chunked) {
      ChunkedDecoder decoder{1 << 20};
      while (verdict.state == ParseState::more && at < stream.size()) {
        const auto step = decoder.next(stream.substr(at, piece));
        request.body += step.data;
        at += step.consumed;
        verdict.state = step.state;
      }
    } else if (head.content_length <= stream.size() - at) {
      request.body = stream.substr(at, head.content_length);
      at += head.content_length;
      verdict.state = ParseState::complete;
    }
    if (verdict.state != ParseState::complete) break;
    verdict.taken.push_back(request);
    verdict.closes = !head.keep_alive;
    begin = at;
    have = std::max(have, std::min(begin + piece, stream.size()));
    if (begin == stream.size()) break;
  }
  return verdict;
}

TEST(FramingTest, EveryCaseComesOutAsExpected) {
  TestServer<> echo;
  TestServer<RefusingService> refusing;
  ASSERT_GE(framing_cases().size(), 120U);
  for (const auto& one : framing_cases()) {
    EXPECT_EQ(run_framing_case({echo.port, echo.pumping()}, one), "") << one.name;
    EXPECT_EQ(run_framing_case({refusing.port, refusing.pumping()}, one), "") << one.name;
  }
  echo.pump();
  EXPECT_EQ(echo.server.figures().connections, 0U);
  EXPECT_EQ(refusing.server.figures().connections, 0U);
}

TEST(FramingTest, CutsOnTheWireChangeNothing) {
  TestServer<> echo;
  TestServer<RefusingService> refusing;
  std::size_t sample = 0;
  for (const auto& one : framing_cases()) {
    std::vector<std::size_t> each_byte;
    if (one.bytes.size() < 400)
      for (std::size_t i = 1; i < one.bytes.size(); ++i) each_byte.push_back(i);
    EXPECT_EQ(run_framing_case({echo.port, echo.pumping()}, one, each_byte), "") << one.name;
    if (one.bytes.size() < 2) continue;
    const auto cut = 1 + (sample += 7) % (one.bytes.size() - 1);
    EXPECT_EQ(run_framing_case({refusing.port, refusing.pumping()}, one, {cut}), "") << one.name;
  }
}

TEST(FramingTest, TheParserGivesOneVerdictHoweverTheBytesAreCut) {
  std::array<Header, header_room> room;
  const HeadLimits limits;
  for (const auto& one : framing_cases()) {
    RequestHead head;
    const auto whole = parse_request_head(one.bytes, room, head, limits);
    for (std::size_t size = 0; size < one.bytes.size(); ++size) {
      if (size > 9'000 && size % 64 != 0) continue;
      const auto part =
          parse_request_head(std::string_view{one.bytes}.substr(0, size), room, head, limits);
      if (part.state == ParseState::more) continue;
      ASSERT_EQ(part.state, whole.state) << one.name << " cut at " << size;
      ASSERT_EQ(part.fault.status, whole.fault.status) << one.name << " cut at " << size;
      ASSERT_EQ(part.bytes, whole.bytes) << one.name << " cut at " << size;
    }
    if (one.bytes.size() > 20'000) continue;
    const auto at_once = replay(one.bytes, one.bytes.size() + 1);
    for (const std::size_t piece : {1, 2, 3, 7}) {
      const auto cut = replay(one.bytes, piece);
      ASSERT_EQ(cut.taken, at_once.taken) << one.name << " in pieces of " << piece;
      ASSERT_EQ(cut.state, at_once.state) << one.name << " in pieces of " << piece;
    }
  }
}

TEST(FramingTest, TheOracleAgreesOnEveryCaseWithinTheLimits) {
  for (const auto& one : framing_cases()) {
    const bool limit =
        one.name.starts_with("limit") || one.name.find("without end") != one.name.npos;
    if (limit || one.name.find("larger than") != one.name.npos) continue;
    const auto oracle = judge_strictly(one.bytes);
    const auto ours = replay(one.bytes, one.bytes.size() + 1);
    EXPECT_EQ(ours.taken, oracle.taken) << one.name;
    EXPECT_EQ(ours.closes, oracle.closes) << one.name;
    EXPECT_EQ(static_cast<int>(oracle.taken.size()),
              one.answered + (one.faults.empty() || oracle.refused ? 0 : 1))
        << one.name;
  }
}

/// As the corpus has them, and once more with the Host that most of them lack.
std::vector<LlhttpCase> with_hosts(const std::vector<LlhttpCase>& cases) {
  std::vector<LlhttpCase> all = cases;
  for (const auto& one : cases) {
    std::string bytes = one.bytes;
    const auto line_end = bytes.find("\r\n", 2);
    if (line_end == bytes.npos || bytes.find("\r\nHost:") != bytes.npos) continue;
    bytes.insert(line_end, "\r\nHost: a");
    all.push_back({one.name + " (with Host)", bytes});
  }
  return all;
}

TEST(FramingTest, LlhttpCasesAreFramedAsTheOracleFramesThem) {
  const auto cases = load_llhttp_cases();
  if (!cases) GTEST_SKIP() << "corpora/http is absent";
  ASSERT_GE(cases->size(), 140U);
  TestServer<> host;
  int taken = 0, refused = 0;
  for (const auto& one : with_hosts(*cases)) {
    const auto oracle = judge_strictly(one.bytes);
    const auto ours = replay(one.bytes, one.bytes.size() + 1);
    EXPECT_EQ(ours.taken, oracle.taken) << one.name;
    EXPECT_EQ(ours.closes, oracle.closes) << one.name;
    EXPECT_EQ(replay(one.bytes, 1).taken, oracle.taken) << one.name;
    FramingCase wire{one.name, one.bytes, static_cast<int>(oracle.taken.size())};
    if (oracle.refused) wire.faults = {400, 408, 413, 414, 417, 431, 501, 505};
    wire.closes = oracle.closes;
    wire.alone = oracle.refused;
    for (const auto& request : oracle.taken) wire.head_only.push_back(request.method == "HEAD");
    EXPECT_EQ(run_framing_case({host.port, host.pumping()}, wire), "") << one.name;
    taken += oracle.refused ? 0 : 1;
    refused += oracle.refused ? 1 : 0;
  }
  RecordProperty("taken", taken);
  RecordProperty("refused", refused);
  EXPECT_GT(taken, 20);
  EXPECT_GT(refused, 120);
}

}  // namespace
}  // namespace vesper::test
