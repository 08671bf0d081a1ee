#include "io/metrics/metrics.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

namespace vesper {
namespace {

TEST(Buckets, EveryValueFallsIntoTheFirstBucketThatHoldsIt) {
  for (std::size_t i = 0; i < bucket_count; ++i) {
    const Duration bound = bucket_bounds()[i];
    EXPECT_EQ(bucket_of(bound), i);
    EXPECT_EQ(bucket_of(bound + 1ns), i + 1);
    EXPECT_EQ(bucket_of(bound - 1ns), i);
  }
  EXPECT_EQ(bucket_of(0ns), 0u);
  EXPECT_EQ(bucket_of(-5s), 0u);
  EXPECT_EQ(bucket_of(Duration::max()), bucket_count);
}

TEST(ThreadSlot, LiveThreadsNeverShareAnOwnedSlot) {
  std::mutex mutex;
  std::condition_variable all_here;
  std::vector<std::size_t> slots;
  std::vector<std::thread> threads;
  constexpr std::size_t crowd = thread_slots + 20;
  for (std::size_t i = 0; i < crowd; ++i)
    threads.emplace_back([&] {
      std::unique_lock lock{mutex};
      slots.push_back(thread_slot());
      if (slots.size() == crowd) all_here.notify_all();
      all_here.wait(lock, [&] { return slots.size() == crowd; });
    });
  for (auto& thread : threads) thread.join();
  std::multiset<std::size_t> seen{slots.begin(), slots.end()};
  for (std::size_t slot = 0; slot < shared_slot; ++slot) EXPECT_LE(seen.count(slot), 1u);
  EXPECT_GE(seen.count(shared_slot), 20u);
  // All have ended: an owned slot is free again.
  std::size_t later = shared_slot;
  std::thread{[&] { later = thread_slot(); }}.join();
  EXPECT_NE(later, shared_slot);
}

TEST(Metrics, NoCountIsLostOverManyThreads) {
  Metrics metrics;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 80; ++t)  // more than there are slots
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          metrics.count(Counter::requests_2xx);
          metrics.add(Gauge::connections_open, 1);
          metrics.observe(Histogram::ingest_seconds, 30us);
          metrics.add(Gauge::connections_open, -1);
        }
      });
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(metrics.value(Counter::requests_2xx), 240'000u);
  EXPECT_EQ(metrics.value(Counter::requests_4xx), 0u);
  EXPECT_EQ(metrics.value(Gauge::connections_open), 0);
  const auto totals = metrics.totals(Histogram::ingest_seconds);
  EXPECT_EQ(totals.count, 240'000u);
  EXPECT_EQ(totals.sum_ns, 240'000ll * 30'000);
  EXPECT_EQ(totals.buckets[bucket_of(30us)], 240'000u);
}

TEST(Metrics, QuantileIsTheBoundOfItsBucket) {
  Metrics metrics;
  EXPECT_EQ(metrics.totals(Histogram::commit_seconds).quantile(0.5), 0ns);
  for (int i = 0; i < 98; ++i) metrics.observe(Histogram::commit_seconds, 900us);
  metrics.observe(Histogram::commit_seconds, 15ms);
  metrics.observe(Histogram::commit_seconds, 15ms);
  const auto totals = metrics.totals(Histogram::commit_seconds);
  EXPECT_EQ(totals.quantile(0.5), 1ms);
  EXPECT_EQ(totals.quantile(0.98), 1ms);
  EXPECT_EQ(totals.quantile(0.99), 20ms);
}

Metrics& fill(Metrics& metrics) {
  metrics.count(Counter::diaries_committed, 3);
  metrics.count(Counter::diaries_replayed);
  metrics.set(Gauge::journal_bytes, 4096);
  metrics.observe(Histogram::ingest_seconds, 30us);
  metrics.observe(Histogram::ingest_seconds, 100'000s);
  return metrics;
}

TEST(Exposition, SaysWhatWasCounted) {
  Metrics metrics;
  std::string text;
  fill(metrics).expose(text);
  for (const char* line :
       {"vesper_journal_diaries_total{outcome=\"stored\"} 3\n",
        "vesper_journal_diaries_total{outcome=\"replay\"} 1\n",
        "vesper_journal_diaries_total{outcome=\"conflict\"} 0\n", "vesper_journal_bytes 4096\n",
        "# TYPE vesper_ingest_seconds histogram\n",
        "vesper_ingest_seconds_bucket{le=\"2e-05\"} 0\n",
        "vesper_ingest_seconds_bucket{le=\"5e-05\"} 1\n",
        "vesper_ingest_seconds_bucket{le=\"50000\"} 1\n",
        "vesper_ingest_seconds_bucket{le=\"+Inf\"} 2\n", "vesper_ingest_seconds_count 2\n",
        "vesper_ingest_seconds_sum 100000.000030000\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
}

TEST(Exposition, FamiliesAreWholeAndHaveOneHelpAndType) {
  Metrics metrics;
  std::string text;
  metrics.expose(text);
  std::istringstream lines{text};
  std::map<std::string, int> helps, types;
  std::set<std::string> closed;
  std::string current;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string hash, kind, name;
    if (line.starts_with("# ")) {
      words >> hash >> kind >> name;
      ++(kind == "HELP" ? helps : types)[name];
      if (name != current) {
        EXPECT_TRUE(closed.insert(current).second) << current;
        current = name;
        EXPECT_FALSE(closed.contains(current)) << "family in two places: " << current;
      }
    } else {
      EXPECT_TRUE(line.starts_with(current)) << line;
    }
  }
  EXPECT_EQ(helps, types);
  for (const auto& [name, n] : helps) EXPECT_EQ(n, 1) << name;
}

TEST(Exposition, PassesPromtool) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "promtool is absent (Debian package prometheus)";
  Metrics metrics;
  std::string text;
  fill(metrics).expose(text);
  std::FILE* tool = ::popen("promtool check metrics >&2", "w");
  ASSERT_NE(tool, nullptr);
  std::fwrite(text.data(), 1, text.size(), tool);
  EXPECT_EQ(::pclose(tool), 0);
}

}  // namespace
}  // namespace vesper
