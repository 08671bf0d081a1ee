#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/wall_time.hpp"
#include "io/log/json_log.hpp"
#include "io/log/log_line.hpp"
#include "io/log/memory_log.hpp"

namespace vesper {
namespace {

class StandingClock final : public Clock {
 public:
  Instant now() const override { return Instant{tick_++ * 1s}; }
  WallTime wall() const override { return parse_date_time("2026-11-20T12:14:05.123Z")->utc; }
  asio::awaitable<bool> sleep_until(Instant) override { co_return true; }

 private:
  mutable std::atomic<std::int64_t> tick_{0};
};

// A pipe whose reading end the test drains when it likes.
struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    ::close(ends[0]);
    close_writer();
  }
  void close_writer() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
  std::vector<nlohmann::json> read_all() {
    close_writer();
    std::string all;
    std::array<char, 65536> part;
    for (ssize_t n; (n = ::read(ends[0], part.data(), part.size())) > 0;)
      all.append(part.data(), static_cast<std::size_t>(n));
    std::vector<nlohmann::json> lines;
    for (std::size_t at = 0, end; (end = all.find('\n', at)) != std::string::npos; at = end + 1)
      lines.push_back(nlohmann::json::parse(all.substr(at, end - at)));
    return lines;
  }
  std::array<int, 2> ends{};
};

TEST(LogLevel, AlwaysIsWrittenAtAnyLevelAsInfo) {
  EXPECT_GT(LogLevel::always, LogLevel::error);
  EXPECT_EQ(to_string(LogLevel::always), "info");
}

TEST(LogLine, HasEcsNamesInOrder) {
  std::string out;
  append_log_line(out, parse_date_time("2026-11-20T12:14:05.123Z")->utc, LogLevel::warn, "breaker",
                  "opened", {{"vesper.destination", "default"}, {"vesper.tries", 3}});
  EXPECT_EQ(out, R"({"@timestamp":"2026-11-20T12:14:05.123Z","log.level":"warn",)"
                 R"("event.action":"breaker","message":"opened","vesper.destination":"default",)"
                 R"("vesper.tries":3,"ecs.version":"8.11.0"})"
                 "\n");
}

TEST(LogLine, EveryValueSurvivesAJsonParser) {
  std::string out;
  const Uuid id = *parse_uuid("019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
  append_log_line(out, WallTime{}, LogLevel::info, "a\"\n", "\x01\\ \xc3\xbc \xff\xfe end",
                  {{"text", std::string_view("nul\0in", 6)},
                   {"number", -9'007'199'254'740'993},
                   {"share", 0.25},
                   {"nothing", std::nan("")},
                   {"yes", true},
                   {"id", id}});
  ASSERT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
  const auto line = nlohmann::json::parse(out);
  EXPECT_EQ(line["event.action"], "a\"\n");
  EXPECT_EQ(line["message"], "\x01\\ \xc3\xbc \xef\xbf\xbd\xef\xbf\xbd end");
  EXPECT_EQ(line["text"], std::string("nul\0in", 6));
  EXPECT_EQ(line["number"].get<std::int64_t>(), -9'007'199'254'740'993);
  EXPECT_EQ(line["share"], 0.25);
  EXPECT_TRUE(line["nothing"].is_null());
  EXPECT_EQ(line["yes"], true);
  EXPECT_EQ(line["id"], "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
}

TEST(LogLine, LongTextIsCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "\xc3\xbc";
  for (std::string lead : {"", "x"}) {
    std::string out;
    append_log_line(out, WallTime{}, LogLevel::info, "a", lead + text, {});
    const std::string kept = nlohmann::json::parse(out)["message"];
    EXPECT_LE(kept.size(), 4096u);
    EXPECT_GE(kept.size(), 4095u);
    EXPECT_EQ(kept.find("\xef\xbf\xbd"), std::string::npos);
  }
}

TEST(LogLevel, ParsesItsOwnNamesOnly) {
  EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
  EXPECT_EQ(parse_log_level("error"), LogLevel::error);
  for (auto bad : {"", "INFO", "fatal", "warning"}) EXPECT_FALSE(parse_log_level(bad)) << bad;
}

TEST(JsonLog, WritesLinesOfManyThreadsWholeAndInOrder) {
  StandingClock clock;
  Pipe pipe;
  {
    JsonLog log{clock, nullptr, {.descriptor = pipe.ends[1]}};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 50; ++i)
          log.write(LogLevel::info, "line", "m", {{"t", std::int64_t{t}}, {"i", std::int64_t{i}}});
      });
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(log.flush());
    EXPECT_EQ(log.lost(), 0u);
  }
  std::array<int, 4> next{};
  for (const auto& line : pipe.read_all()) EXPECT_EQ(line["i"], next[line["t"].get<unsigned>()]++);
  for (int n : next) EXPECT_EQ(n, 50);
}

TEST(JsonLog, FlushedLineIsWithTheKernelBeforeFlushReturns) {
  StandingClock clock;
  Pipe pipe;
  JsonLog log{clock, nullptr, {.descriptor = pipe.ends[1]}};
  log.write(LogLevel::info, "listening", "both ports accept");
  ASSERT_TRUE(log.flush());
  std::array<char, 1024> got{};
  const ssize_t n = ::read(pipe.ends[0], got.data(), got.size());
  EXPECT_EQ(nlohmann::json::parse(
                std::string_view(got.data(), static_cast<std::size_t>(n)))["event.action"],
            "listening");
}

TEST(JsonLog, DropsAndCountsWhenItsReaderIsStuck) {
  StandingClock clock;
  Pipe pipe;
  ::fcntl(pipe.ends[1], F_SETPIPE_SZ, 4096);
  const std::string text(1000, 'x');
  {
    JsonLog log{clock, nullptr, {.descriptor = pipe.ends[1], .queued_bytes_max = 8192}};
    for (int i = 0; i < 100; ++i) log.write(LogLevel::info, "flood", text);
    // The pipe holds 4 KiB, the writer's batch and the queue 8 KiB each: 100 KB cannot fit.
    EXPECT_GE(log.lost(), 70u);
    EXPECT_FALSE(log.flush(1ms));
  }  // the destructor gives up: its clock has passed close_wait
}

TEST(JsonLog, SaysHowManyLinesWereLost) {
  StandingClock clock;
  Pipe pipe;
  {
    JsonLog log{clock, nullptr, {.descriptor = pipe.ends[1], .queued_bytes_max = 300}};
    log.write(LogLevel::info, "long", std::string(400, 'x'));  // never fits
    log.write(LogLevel::info, "short", "s");
    EXPECT_TRUE(log.flush());
  }
  const auto lines = pipe.read_all();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1]["event.action"], "log_lines_lost");
  EXPECT_EQ(lines[1]["vesper.lines"], 1);
}

TEST(JsonLog, LevelHidesWhatIsBelowIt) {
  StandingClock clock;
  Pipe pipe;
  {
    JsonLog log{clock, nullptr, {.descriptor = pipe.ends[1], .level = LogLevel::warn}};
    log.write(LogLevel::info, "hidden", "");
    log.write(LogLevel::warn, "shown", "");
    log.set_level(LogLevel::debug);
    log.write(LogLevel::debug, "shown", "");
  }
  const auto lines = pipe.read_all();
  ASSERT_EQ(lines.size(), 2u);
  for (const auto& line : lines) EXPECT_EQ(line["event.action"], "shown");
}

TEST(MemoryLog, KeepsLines) {
  MemoryLog log;
  log.write(LogLevel::info, "one", "m");
  log.write(LogLevel::info, "two", "m", {{"n", 1}});
  log.write(LogLevel::info, "two", "m", {{"n", 2}});
  EXPECT_EQ(log.count("two"), 2u);
  EXPECT_EQ(nlohmann::json::parse(log.lines()[2])["n"], 2);
}

}  // namespace
}  // namespace vesper
