#include "stages/upstream/judge.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/encoding.hpp"

namespace vesper::upstream {
namespace {

const Uuid key = *parse_uuid("019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
constexpr char key_text[] = "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b";
constexpr char other_key[] = "019aaf0e-7c1e-7b52-a3b0-000000000000";
const Hash hash{0xab, 0xcd};

std::string hash_text(const Hash& of = hash) {
  std::string text = "sha256:";
  append_hex(text, of);
  return text;
}

Expected expected(Settle settle = Settle::any_2xx) {
  return {.settle = settle,
          .delivery_id = key,
          .content_hash = hash,
          .now = WallTime{std::chrono::sys_days{std::chrono::year{2026} / 11 / 20}}};
}

UpstreamReply reply(int status) {
  UpstreamReply r;
  r.status = static_cast<std::uint16_t>(status);
  return r;
}

// Goal: every status has the meaning of the contract's table, and none is forgotten.
TEST(Judge, GivesEveryStatusTheMeaningOfTheContract) {
  const std::set<int> parked{400, 410, 413, 415, 422};
  for (int status = 100; status < 1000; ++status) {
    const auto outcome = judge(reply(status), expected());
    const auto wanted = status >= 200 && status < 300 ? Verdict::settled
                        : parked.contains(status)     ? Verdict::parked
                                                      : Verdict::retry;
    EXPECT_EQ(outcome.verdict, wanted) << status;
    const auto blame = wanted != Verdict::retry ? Blame::nobody
                       : status == 409          ? Blame::lane
                                                : Blame::destination;
    EXPECT_EQ(outcome.blame, blame) << status;
    EXPECT_EQ(outcome.reason == Reason::none, wanted == Verdict::settled) << status;
    EXPECT_EQ(judge(reply(status), expected(Settle::receipt)).verdict,
              wanted == Verdict::settled ? Verdict::retry : wanted)
        << status;
  }
}

TEST(Judge, TakesEveryTroubleForTheDestinationsFault) {
  using enum UpstreamReply::Trouble;
  std::set<std::string_view> reasons;
  for (const auto trouble : {refused, timed_out, cut, not_http, tls, credentials}) {
    UpstreamReply r;
    r.trouble = trouble;
    for (const auto settle : {Settle::any_2xx, Settle::receipt}) {
      const auto outcome = judge(r, expected(settle));
      EXPECT_EQ(outcome.verdict, Verdict::retry);
      EXPECT_EQ(outcome.blame, Blame::destination);
      reasons.insert(name_of(outcome.reason));
    }
  }
  EXPECT_EQ(reasons.size(), 6u);
}

TEST(Judge, SettlesWithReceiptOnlyOnBothEchoes) {
  const auto verdict = [](int status, std::string k, std::string h, std::string body = {}) {
    auto r = reply(status);
    r.idempotency_key = std::move(k);
    r.content_hash = std::move(h);
    r.body = std::move(body);
    return judge(r, expected(Settle::receipt)).verdict;
  };
  const std::string quoted = '"' + std::string(key_text) + '"';
  EXPECT_EQ(verdict(200, quoted, hash_text()), Verdict::settled);
  EXPECT_EQ(verdict(201, key_text, hash_text()), Verdict::settled);
  EXPECT_EQ(verdict(202, quoted, hash_text()), Verdict::retry);
  EXPECT_EQ(verdict(200, quoted, ""), Verdict::retry);
  EXPECT_EQ(verdict(200, "", hash_text()), Verdict::retry);
  EXPECT_EQ(verdict(200, other_key, hash_text()), Verdict::retry);
  EXPECT_EQ(verdict(200, quoted, hash_text(Hash{1})), Verdict::retry);
  EXPECT_EQ(verdict(200, "", "",
                    R"({"receipt":{"deliveryId":")" + std::string(key_text) +
                        R"(","contentHash":")" + hash_text() + R"("}})"),
            Verdict::settled);
  EXPECT_EQ(verdict(200, "", "", "<html>" + std::string(key_text) + hash_text() + "</html>"),
            Verdict::retry);
  // A header that echoes our hash beside a body that states another one proves nothing.
  EXPECT_EQ(verdict(200, quoted, hash_text(), R"({"contentHash":")" + hash_text(Hash{1}) + R"("})"),
            Verdict::retry);
}

TEST(Judge, ShowsAProxysPageThatCounts) {
  auto r = reply(200);
  r.content_type = "text/HTML; charset=utf-8";
  EXPECT_EQ(judge(r, expected()).verdict, Verdict::settled);
  EXPECT_TRUE(judge(r, expected()).suspect);
  EXPECT_EQ(judge(r, expected(Settle::receipt)).verdict, Verdict::retry);
  r.content_type = "application/fhir+json";
  EXPECT_FALSE(judge(r, expected()).suspect);
}

TEST(Judge, SettlesA409ThatShowsTheDiaryIsThere) {
  const auto verdict = [](std::string h, std::string body, std::string k = {}) {
    auto r = reply(409);
    r.content_hash = std::move(h);
    r.idempotency_key = std::move(k);
    r.body = std::move(body);
    return judge(r, expected()).verdict;
  };
  EXPECT_EQ(verdict(hash_text(), ""), Verdict::settled);
  EXPECT_EQ(verdict("", R"({"receipt":{"deliveryId":")" + std::string(key_text) + R"("}})"),
            Verdict::settled);
  EXPECT_EQ(verdict("", R"({"deliveryId":")" + std::string(other_key) + R"("})"), Verdict::retry);
  EXPECT_EQ(verdict("", R"({"deliveryId":")" + std::string(key_text) + R"(","contentHash":")" +
                            hash_text(Hash{1}) + R"("})"),
            Verdict::retry);
  EXPECT_EQ(verdict("", R"({"error":"in progress"})", key_text), Verdict::retry);
  EXPECT_EQ(verdict("", ""), Verdict::retry);
}

TEST(RetryAfter, ReadsSecondsAndAllThreeDates) {
  const WallTime now = std::chrono::sys_days{std::chrono::year{1994} / 11 / 6} + 8h + 49min;
  const auto read = [&](std::string_view text) { return parse_retry_after(text, now, 1h); };
  EXPECT_EQ(read("0"), Duration{0s});
  EXPECT_EQ(read("120"), Duration{120s});
  EXPECT_EQ(read("3600"), Duration{1h});
  EXPECT_EQ(read("3601"), Duration{1h});
  EXPECT_EQ(read("99999999999999999999999999"), Duration{1h});
  EXPECT_EQ(read("Sun, 06 Nov 1994 08:49:37 GMT"), Duration{37s});
  EXPECT_EQ(read("Sun Nov  6 08:49:37 1994"), Duration{37s});
  EXPECT_EQ(read("Sun, 06 Nov 1993 08:49:37 GMT"), Duration{0s});
  EXPECT_EQ(read("Fri, 31 Dec 9999 23:59:59 GMT"), Duration{1h});
  EXPECT_EQ(read("Sunday, 06-Nov-94 08:49:37 GMT"), Duration{1h});  // 2094: two digits look ahead
  for (const char* bad : {"", "-1", "1.5", "soon", "Sun, 31 Feb 1994 08:49:37 GMT", "1 ",
                          "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"})
    EXPECT_EQ(read(bad), std::nullopt) << bad;
}

TEST(Judge, HonoursRetryAfterOnlyWhenItTriesAgain) {
  auto r = reply(503);
  r.retry_after = "7";
  EXPECT_EQ(judge(r, expected()).retry_after, Duration{7s});
  r.status = 200;
  EXPECT_EQ(judge(r, expected()).retry_after, std::nullopt);
}

}  // namespace
}  // namespace vesper::upstream
