#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "surge/arrival_curve.hpp"
#include "surge/diary_template.hpp"
#include "surge/recorder.hpp"
#include "surge/reply_reader.hpp"
#include "surge/report.hpp"
#include "surge/retry_rule.hpp"

namespace vesper::surge {
namespace {

std::vector<Duration> moments(const ArrivalCurve& curve, std::uint64_t seed = 7) {
  Arrivals arrivals{curve, Random{seed}};
  std::vector<Duration> out;
  while (const auto at = arrivals.next()) out.push_back(*at);
  return out;
}

std::size_t between(const std::vector<Duration>& all, Duration from, Duration to) {
  return static_cast<std::size_t>(
      std::ranges::count_if(all, [&](Duration at) { return at >= from && at < to; }));
}

// Within five standard deviations of a Poisson count: one seed in a million would fail.
void expect_about(std::size_t count, double expected) {
  EXPECT_NEAR(static_cast<double>(count), expected, 5 * std::sqrt(expected));
}

TEST(ArrivalCurve, ReadsBaselineRampStepAndMultiples) {
  const auto parsed = parse_segments("400:5,400-2000:2,x20:10,x0.5-x1:1.5");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 4u);
  EXPECT_EQ((*parsed)[1].from_per_s, 400);
  EXPECT_EQ((*parsed)[1].to_per_s, 2000);
  EXPECT_EQ((*parsed)[2].from_per_s, 8000);
  EXPECT_EQ((*parsed)[3].from_per_s, 200);
  EXPECT_EQ((*parsed)[3].length, 1500ms);
  const ArrivalCurve curve{*parsed};
  EXPECT_EQ(curve.length(), 18500ms);
  EXPECT_DOUBLE_EQ(curve.rate_at(6s), 1200);
  EXPECT_DOUBLE_EQ(curve.rate_at(18500ms), 0);
}

TEST(ArrivalCurve, NamesThePartThatCannotBeRead) {
  for (const std::string_view text : {"", "400", "400:0", "400:-1", "x2:1", "1-2-3:1", "a:1",
                                      "1000001:1", "400:5,", "1:86401", "nan:1", "400:5s"}) {
    const auto parsed = parse_segments(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().find('`'), std::string::npos) << text;
  }
  EXPECT_TRUE(parse_segments("1000000:86400"));
}

TEST(ArrivalCurve, HasAtMostSixtyFourParts) {
  std::string text = "1:1";
  for (int i = 1; i < 64; ++i) text += ",1:1";
  EXPECT_TRUE(parse_segments(text));
  EXPECT_FALSE(parse_segments(text + ",1:1"));
}

TEST(ArrivalCurve, ReadsPushes) {
  const auto parsed = parse_pushes("8:600:0.5,3:60");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 2u);
  EXPECT_EQ((*parsed)[0].at, 3s);
  EXPECT_EQ((*parsed)[1].spread, 500ms);
  EXPECT_TRUE(parse_pushes("")->empty());
  for (const std::string_view text : {"3", "3:1.5", "3:1:1:1", "a:1", "3:-1"})
    EXPECT_FALSE(parse_pushes(text)) << text;
}

TEST(Arrivals, FollowTheCurve) {
  const ArrivalCurve curve{*parse_segments("1000:4,1000-9000:4,x20:1,0:2")};
  const auto all = moments(curve);
  EXPECT_TRUE(std::ranges::is_sorted(all));
  expect_about(between(all, 0s, 4s), 4000);
  expect_about(between(all, 4s, 5s), 2000);  // the ramp's first quarter: 1000/s to 3000/s
  expect_about(between(all, 7s, 8s), 8000);
  expect_about(between(all, 8s, 9s), 20000);
  EXPECT_EQ(between(all, 9s, 11s), 0u);
}

TEST(Arrivals, AreNotEvenlySpacedButPoisson) {
  const auto all = moments({*parse_segments("10000:10")});
  double variance = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto count = static_cast<double>(between(all, 10ms * i, 10ms * (i + 1)));
    variance += (count - 100) * (count - 100) / 1000;
  }
  EXPECT_NEAR(variance, 100, 25);  // equal to the mean; zero for a metronome
}

TEST(Arrivals, OfAPushComeTogetherOrSpread) {
  const ArrivalCurve curve{*parse_segments("0:10"), *parse_pushes("2:60,5:100:1")};
  const auto all = moments(curve);
  ASSERT_EQ(all.size(), 160u);
  EXPECT_EQ(between(all, 2s, 2s + 1ns), 60u);
  EXPECT_EQ(between(all, 5s, 5500ms), 50u);
  EXPECT_LT(all.back(), 6s);
}

TEST(Arrivals, AreEqualForEqualSeeds) {
  const ArrivalCurve curve{*parse_segments("500:3")};
  EXPECT_EQ(moments(curve, 3), moments(curve, 3));
  EXPECT_NE(moments(curve, 3), moments(curve, 4));
}

TEST(RetryRule, ReturnsBetweenRetryAfterAndOnePointTwoTimesIt) {
  const RetryRule rule{RetryHabit::told, 5};
  Random random{1};
  Duration least = 1h, most{};
  for (int i = 0; i < 10'000; ++i) {
    const auto at = rule.again(100s, 1, 10, random);
    ASSERT_TRUE(at);
    least = std::min(least, *at - 100s);
    most = std::max(most, *at - 100s);
  }
  EXPECT_GE(least, 10s);
  EXPECT_LT(least, 10100ms);
  EXPECT_LE(most, 12s);
  EXPECT_GT(most, 11900ms);
}

TEST(RetryRule, BacksOffWithJitterWhereNothingWasTold) {
  const RetryRule rule{RetryHabit::told, 50};
  Random random{1};
  for (int i = 0; i < 1000; ++i) {
    const auto third = *rule.again(0s, 3, {}, random);
    EXPECT_GE(third, 2s);
    EXPECT_LE(third, 6s);
    EXPECT_LE(*rule.again(0s, 40, {}, random), 45s);
  }
}

TEST(RetryRule, GivesUpAtTheLastTry) {
  Random random{1};
  for (const auto habit :
       {RetryHabit::told, RetryHabit::at_once, RetryHabit::doubling, RetryHabit::together}) {
    const RetryRule rule{habit, 3};
    EXPECT_TRUE(rule.again(0s, 2, 1, random));
    EXPECT_FALSE(rule.again(0s, 3, 1, random));
  }
  EXPECT_FALSE((RetryRule{RetryHabit::none, 3}.again(0s, 1, 1, random)));
}

TEST(RetryRule, KnowsBadHabits) {
  Random random{1};
  EXPECT_EQ((RetryRule{RetryHabit::at_once}.again(7s, 1, 9, random)), 7s);
  EXPECT_EQ((RetryRule{RetryHabit::doubling}.again(7s, 1, 9, random)), 8s);
  EXPECT_EQ((RetryRule{RetryHabit::doubling}.again(7s, 4, 9, random)), 15s);
  EXPECT_EQ((RetryRule{RetryHabit::together}.again(7s, 1, 9, random)), 10s);
  EXPECT_EQ((RetryRule{RetryHabit::together}.again(10s, 1, 9, random)), 15s);
  EXPECT_EQ(retry_habit_named("together"), RetryHabit::together);
  EXPECT_FALSE(retry_habit_named("nicely"));
}

TEST(ReplyReader, ReadsStatusLengthAndRetryAfter) {
  const std::string text =
      "HTTP/1.1 503 Service Unavailable\r\nretry-after:  7\r\nConnection: Close\r\n"
      "Content-Length: 4\r\n\r\nbody";
  Reply reply;
  for (std::size_t n = 0; n < text.size(); ++n)
    EXPECT_EQ(read_reply(std::string_view{text}.substr(0, n), reply), ReadState::incomplete) << n;
  ASSERT_EQ(read_reply(text, reply), ReadState::complete);
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.retry_after_s, 7u);
  EXPECT_TRUE(reply.closing);
  EXPECT_EQ(reply.bytes, text.size());
}

TEST(ReplyReader, RefusesWhatIsNoAnswer) {
  Reply reply;
  for (const std::string_view text :
       {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 2x1 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nbad line\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"})
    EXPECT_EQ(read_reply(text, reply), ReadState::not_http) << text;
  EXPECT_EQ(read_reply(std::string(17'000, 'x'), reply), ReadState::not_http);
}

TEST(DiaryTemplate, ReplacesIdTrialAndSubjectAndKeepsTheRest) {
  auto made = make_diary_template(
      R"( {"form":"f\"1","submissionId":"x","n":1.50,"deep":{"a":[1, null,true]},"none":null} )",
      "T-9");
  ASSERT_TRUE(made) << made.error();
  std::string body = made->body;
  format_subject(1234567, &body[made->subject_at]);
  const auto document = nlohmann::json::parse(body);
  EXPECT_EQ(document["subjectId"], "S-1234567");
  EXPECT_EQ(document["trialId"], "T-9");
  EXPECT_EQ(document["submissionId"].get<std::string>().size(), 36u);
  EXPECT_EQ(document["form"], "f\"1");
  EXPECT_EQ(document["deep"].dump(), R"({"a":[1,null,true]})");
  EXPECT_NE(body.find("1.50"), std::string::npos);
  EXPECT_FALSE(make_diary_template("[1]", "T"));
  EXPECT_FALSE(make_diary_template("{", "T"));
}

Plan plan_of(std::string_view curve) {
  Plan plan;
  TrialLoad trial;
  trial.id = "T <1>";
  trial.curve = {*parse_segments(curve)};
  plan.trials.push_back(trial);
  plan.patience = 1s;
  return plan;
}

TryRecord answered(Duration due, Duration latency, int status) {
  return {.due = due, .latency = latency, .status = status};
}

TEST(Recorder, CountsByPhaseFirstSecondAndInterval) {
  const Plan plan = plan_of("10:2,100:2");
  Recorder recorder{plan};
  recorder.ended(answered(1s, 5ms, 201));
  recorder.ended(answered(2s, 100ms, 201));      // on the edge: good, and in the second phase
  recorder.ended(answered(2500ms, 101ms, 201));  // not good
  recorder.ended(answered(3s, 1ms, 503));        // not in the first second
  recorder.ended(answered(3s, 1ms, 422));
  recorder.ended({.due = 3s, .end = TryEnd::no_connection});
  recorder.ended({.number = 2, .due = 4s, .end = TryEnd::timed_out});  // after the curve
  const Report report = recorder.finish({});
  ASSERT_EQ(report.phases.size(), 2u);
  EXPECT_EQ(report.phases[0].all.good, 1u);
  const Tally& step = report.phases[1].all;
  EXPECT_EQ(step.tries, 5u);
  EXPECT_EQ(step.accepted, 2u);
  EXPECT_EQ(step.good, 1u);
  EXPECT_EQ(step.refused, 1u);
  EXPECT_EQ(step.failed, 1u);
  EXPECT_EQ(step.no_connection, 1u);
  EXPECT_EQ(report.phases[1].first_second.tries, 2u);
  EXPECT_EQ(report.total.tries, 7u);
  EXPECT_EQ(report.total.diaries, 6u);
  EXPECT_EQ(report.total.timed_out, 1u);
  ASSERT_GT(report.intervals.size(), 30u);
  EXPECT_EQ(report.intervals[30].refused_503, 1u);
  EXPECT_EQ(report.intervals[30].no_connection, 1u);
}

TEST(Report, SaysWhenTheGeneratorWasLate) {
  const Plan plan = plan_of("10:1");
  Recorder on_time{plan}, late{plan};
  on_time.sent(0s, 50ms);
  late.sent(0s, 50ms + 1ns);
  EXPECT_EQ(verdict_of(on_time.finish({})), Verdict::believable);
  Report report = late.finish({});
  EXPECT_EQ(verdict_of(report), Verdict::late);
  report.own_cpu_share_max = 0.95;
  EXPECT_EQ(verdict_of(report), Verdict::saturated);
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["generator"]["verdict"], "saturated");
}

TEST(Report, IsJsonAlsoWhenNothingHappened) {
  const Plan plan = plan_of("10:1");
  Recorder recorder{plan};
  const auto report = nlohmann::json::parse(to_json(recorder.finish({})));
  EXPECT_EQ(report["total"]["tries"], 0);
  EXPECT_TRUE(report["cpu"]["server_s"].is_null());
  EXPECT_EQ(report["phases"][0]["trials"].begin().key(), "T <1>");
}

TEST(Report, IsOnePageThatNeedsNothingElse) {
  const Plan plan = plan_of("10:2,100:2");
  Recorder recorder{plan};
  for (int i = 0; i < 40; ++i) {
    recorder.ended(answered(100ms * i, 1ms * i, i % 3 == 0 ? 503 : 201));
    recorder.sampled({.at_s = 0.1 * i, .server_cpu_share = 0.5, .server_rss_mib = 40});
  }
  const std::string page = to_html(recorder.finish({}), "An <evening>");
  EXPECT_NE(page.find("An &lt;evening&gt;"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("http://"), page.find("http://www.w3.org/2000/svg"));
  EXPECT_EQ(page.find("nan,"), std::string::npos);
  EXPECT_EQ(page.find(",nan"), std::string::npos);
  EXPECT_EQ(page.find("S-0000"), std::string::npos);
  EXPECT_NE(page.find("prefers-color-scheme"), std::string::npos);
  EXPECT_GT(page.find("</svg>"), page.find("<svg"));
}

TEST(InTime, AnAnswerAfterTheTimeOutIsNone) {
  EXPECT_EQ(in_time(TryEnd::answered, 1s, 1s), TryEnd::answered);
  EXPECT_EQ(in_time(TryEnd::answered, 1s + 1ns, 1s), TryEnd::timed_out);
  EXPECT_EQ(in_time(TryEnd::cut, 2s, 1s), TryEnd::timed_out);
}

}  // namespace
}  // namespace vesper::surge
