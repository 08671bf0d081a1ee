#include "flows/keys/key_keeper.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <thread>

#include "flows/keys/kept_keys.hpp"
#include "io/log/memory_log.hpp"
#include "sim/sim_clock.hpp"
#include "stages/access/authenticator.hpp"
#include "stages/access/demo_keys.hpp"
#include "stages/access/test_keys.hpp"

namespace vesper {
namespace {

using namespace access::testing;
using access::Algorithm;

/// Files in memory that outlive a process.
class Files final : public FileStore {
 public:
  struct File {
    std::string bytes;
    bool exposed = false;
    std::int64_t version = 0;
  };
  std::expected<std::string, FileFault> read(const std::string& path, std::size_t bytes_max,
                                             Secrecy secrecy) override {
    const auto it = files.find(path);
    if (it == files.end()) return std::unexpected(FileFault::not_found);
    if (it->second.exposed && secrecy == Secrecy::owner_only)
      return std::unexpected(FileFault::readable_by_others);
    if (it->second.bytes.size() > bytes_max) return std::unexpected(FileFault::too_large);
    return it->second.bytes;
  }
  std::expected<void, FileFault> replace(const std::string& path, std::string_view text) override {
    if (full) return std::unexpected(FileFault::failed);
    put(path, std::string{text});
    return {};
  }
  std::expected<void, FileFault> append(const std::string& path, std::string_view text) override {
    return replace(path, files[path].bytes + std::string{text});
  }
  std::expected<FileStamp, FileFault> stamp(const std::string& path) override {
    const auto it = files.find(path);
    if (it == files.end()) return std::unexpected(FileFault::not_found);
    return FileStamp{it->second.version, it->second.bytes.size(), 1};
  }
  std::expected<void, FileFault> owner_only(const std::string&) override { return {}; }
  void put(const std::string& path, std::string bytes, bool exposed = false) {
    files[path] = {std::move(bytes), exposed, ++versions};
  }
  std::map<std::string, File> files;
  std::int64_t versions = 0;
  bool full = false;
};

/// An identity provider that does what the test says.
class Provider final : public HttpFetch {
 public:
  asio::awaitable<std::expected<FetchReply, FetchFault>> fetch(const Request&,
                                                               Deadline deadline) override {
    starts.push_back(clock->now());
    most_in_flight = std::max(most_in_flight, ++in_flight);
    const Instant when = clock->now() + delay;
    (void)co_await clock->sleep_until(std::min(when, deadline.at));
    --in_flight;
    if (when > deadline.at) co_return std::unexpected(FetchFault::timed_out);
    if (fault) co_return std::unexpected(*fault);
    FetchReply reply;
    reply.status = status;
    reply.body = body;
    co_return reply;
  }
  std::string body;
  std::uint16_t status = 200;
  Duration delay = 20ms;
  std::optional<FetchFault> fault;
  std::vector<Instant> starts;
  int in_flight = 0, most_in_flight = 0;
  Clock* clock = nullptr;  ///< of the process that asks
};

std::string keys_of(std::initializer_list<const char*> kids) {
  std::vector<Json> keys;
  for (const char* kid : kids) keys.push_back(with(public_jwk(Algorithm::es256), "kid", kid));
  return set_of(keys);
}

constexpr const char* remote_issuer = "https://id.example";

/// What survives a restart.
struct Ground {
  sim::World world{7};
  Files files;
  Provider provider;
};

struct Process {
  Process(Ground& g, std::vector<KeySource> sources, KeyRules rules = {})
      : ground(g), keeper(std::move(sources), rules, {clock, entropy, g.files, log, tasks}) {
    g.provider.clock = &clock;
  }

  static KeySource remote(Ground& g) {
    return {.rules = {.issuer = remote_issuer, .audience = "vesper"},
            .location = "https://id.example/keys",
            .fetch = &g.provider,
            .kept_path = "kept"};
  }
  static KeySource local(const char* issuer = "file-issuer") {
    return {.rules = {.issuer = issuer, .audience = "vesper"}, .location = "keys.json"};
  }

  void start() {
    ASSERT_TRUE(keeper.load());
    keeper.start(context.get_executor());
  }
  void run_for(Duration length) {
    const Instant until = ground.world.now() + length;
    do {
      context.restart();
      while (context.poll() > 0) context.restart();
    } while (ground.world.step(until));
  }
  KeyAnswer settle(const std::string& kid, Duration wait = 2s) {
    std::optional<KeyAnswer> answer;
    asio::co_spawn(context, keeper.settle(remote_issuer, kid, {clock.now() + wait}),
                   [&](std::exception_ptr, KeyAnswer given) { answer = given; });
    for (int i = 0; i < 10'000 && !answer; ++i) run_for(1ms);
    return answer.value();
  }
  bool in_force(const char* kid, const char* issuer = remote_issuer) {
    const auto keys = keeper.ring()->find(issuer)->keys;
    return keys != nullptr && keys->find(kid) != nullptr;
  }

  Ground& ground;
  asio::io_context context;
  sim::SimClock clock{ground.world};  // before the context ends, it drops its sleepers
  sim::SimEntropy entropy{ground.world};
  MemoryLog log;
  TaskScope tasks{"keys"};
  KeyKeeper keeper;
};

class KeyKeeperTest : public ::testing::Test {
 protected:
  Ground ground;
  Provider& provider = ground.provider;
};

TEST_F(KeyKeeperTest, FetchesAtStartAndRefreshesWithJitter) {
  provider.body = keys_of({"a"});
  Process process{ground, {Process::remote(ground)}};
  process.start();
  EXPECT_EQ(process.keeper.without_keys(), std::vector<std::string>{remote_issuer});
  process.run_for(1s);
  EXPECT_TRUE(process.in_force("a"));
  EXPECT_TRUE(process.keeper.without_keys().empty());
  const auto generation = process.keeper.generation();
  process.run_for(2h);
  EXPECT_GE(provider.starts.size(), 11u);
  EXPECT_LE(provider.starts.size(), 15u);
  EXPECT_EQ(process.keeper.generation(), generation) << "equal bytes keep every cache";
  provider.body = keys_of({"b"});
  process.run_for(12min);
  EXPECT_TRUE(process.in_force("b") && !process.in_force("a"));
  EXPECT_GT(process.keeper.generation(), generation);
}

TEST_F(KeyKeeperTest, ARotatedKeyIsFoundWhileItsFirstTokenWaits) {
  provider.body = keys_of({"a"});
  Process process{ground, {Process::remote(ground)}};
  process.start();
  process.run_for(1min);
  provider.body = keys_of({"a", "b"});
  EXPECT_EQ(process.keeper.ask(remote_issuer, "b"), KeyAnswer::come_again);
  EXPECT_EQ(process.settle("b"), KeyAnswer::known_now);
  EXPECT_TRUE(process.in_force("b"));
  EXPECT_EQ(provider.starts.size(), 2u);
}

TEST_F(KeyKeeperTest, AKidIsRefusedOnlyByAFetchThatBeganAfterIt) {
  provider.body = keys_of({"a"});
  Process process{ground, {Process::remote(ground)}};
  process.start();
  process.run_for(1min);
  EXPECT_EQ(process.settle("forged"), KeyAnswer::refuse);
  EXPECT_EQ(process.keeper.ask(remote_issuer, "forged"), KeyAnswer::refuse);
  // Another kid inside the floor: nobody can know, so it comes again.
  EXPECT_EQ(process.keeper.ask(remote_issuer, "other"), KeyAnswer::come_again);
  EXPECT_EQ(process.settle("other"), KeyAnswer::come_again);
  process.run_for(10s);
  EXPECT_EQ(process.keeper.ask(remote_issuer, "forged"), KeyAnswer::come_again) << "forgotten";
}

TEST_F(KeyKeeperTest, AStormOfUnknownKidsCostsOneFetchAFloor) {
  provider.body = keys_of({"a"});
  provider.delay = 2s;
  Process process{ground, {Process::remote(ground)}};
  process.start();
  process.run_for(1min);
  const auto before = provider.starts.size();
  int refused = 0, again = 0;
  for (int i = 0; i < 6'000; ++i) {
    const auto answer = process.keeper.ask(remote_issuer, "forged-" + std::to_string(i));
    refused += answer == KeyAnswer::refuse;
    again += answer == KeyAnswer::come_again;
    process.run_for(10ms);
  }
  EXPECT_LE(provider.starts.size() - before, 7u);
  EXPECT_GE(provider.starts.size() - before, 5u);
  EXPECT_EQ(provider.most_in_flight, 1);
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(again, 6'000);
}

TEST_F(KeyKeeperTest, WhileTheProviderFailsUnknownKidsComeAgainAndKnownOnesWork) {
  provider.body = keys_of({"a"});
  Process process{ground, {Process::remote(ground)}};
  process.start();
  process.run_for(1min);
  const std::string good = provider.body;
  const std::vector<std::function<void()>> failures{
      [&] { provider.fault = FetchFault::refused; },
      [&] { provider.fault = FetchFault::tls; },
      [&] { provider.delay = 1h; },
      [&] { provider.status = 500; },
      [&] { provider.status = 302; },
      [&] { provider.body = "<html>"; },
      [&] { provider.body = keys_of({}); },
      [&] { provider.body = keys_of({"a", "a"}); },
      [&] { provider.body = set_of({with(secret_jwk('k', 8), "kid", "a")}); },
      [&] { provider.body = good + std::string(300'000, ' '); }};
  for (std::size_t i = 0; i < failures.size(); ++i) {
    failures[i]();
    process.run_for(11s);
    EXPECT_EQ(process.settle("b", 8s), KeyAnswer::come_again) << i;
    EXPECT_TRUE(process.in_force("a")) << i;
    provider.fault.reset();
    provider.delay = 20ms;
    provider.status = 200;
    provider.body = good;
    process.run_for(11min);
  }
  EXPECT_GE(process.log.count("keys.refused"), failures.size());
}

TEST_F(KeyKeeperTest, FailuresAreTriedAgainLessAndLessOften) {
  provider.fault = FetchFault::refused;
  Process process{ground, {Process::remote(ground)}};
  process.start();
  process.run_for(1h);
  EXPECT_GE(provider.starts.size(), 14u);
  EXPECT_LE(provider.starts.size(), 20u);
  EXPECT_EQ(process.keeper.ask(remote_issuer, "a"), KeyAnswer::come_again);
}

TEST_F(KeyKeeperTest, TheLastGoodSetSurvivesARestartForABoundedTime) {
  provider.body = keys_of({"a"});
  {
    Process first{ground, {Process::remote(ground)}};
    first.start();
    first.run_for(1min);
  }
  ASSERT_TRUE(ground.files.files.contains("kept"));
  provider.fault = FetchFault::refused;
  Process second{ground, {Process::remote(ground)}, {.tick = 1s}};
  second.start();
  EXPECT_TRUE(second.in_force("a"));
  second.run_for(71h);
  EXPECT_TRUE(second.in_force("a"));
  second.run_for(2h);
  EXPECT_FALSE(second.in_force("a"));
  EXPECT_EQ(second.log.count("keys.given_up"), 1u);
  EXPECT_EQ(second.keeper.ask(remote_issuer, "a"), KeyAnswer::come_again) << "503, never 401";
  Process third{ground, {Process::remote(ground)}};
  ASSERT_TRUE(third.keeper.load());
  EXPECT_FALSE(third.in_force("a")) << "too old on disk as well";
  provider.fault.reset();
  second.run_for(6min);
  EXPECT_TRUE(second.in_force("a"));
}

TEST_F(KeyKeeperTest, WhatWasKeptIsTakenOnlyIfItIsOursPrivateAndGood) {
  const auto keep = [&](std::string location, std::string set, bool exposed) {
    ground.files.put("kept",
                     write_kept_keys({ground.world.wall(), std::move(location), std::move(set)}),
                     exposed);
    Process process{ground, {Process::remote(ground)}};
    EXPECT_TRUE(process.keeper.load());
    return process.in_force("a");
  };
  const std::string url = "https://id.example/keys";
  EXPECT_TRUE(keep(url, keys_of({"a"}), false));
  EXPECT_FALSE(keep("https://evil.example/keys", keys_of({"a"}), false));
  EXPECT_FALSE(keep(url, keys_of({"a"}), true));
  EXPECT_FALSE(keep(url, keys_of({"a", "a"}), false));
  ground.files.put("kept", "rubbish");
  Process process{ground, {Process::remote(ground)}};
  EXPECT_TRUE(process.keeper.load());
}

TEST_F(KeyKeeperTest, AFullDiskStopsNothing) {
  provider.body = keys_of({"a"});
  ground.files.full = true;
  Process process{ground, {Process::remote(ground)}};
  process.start();
  process.run_for(1s);
  EXPECT_TRUE(process.in_force("a"));
  EXPECT_EQ(process.log.count("keys.not_kept"), 1u);
}

TEST_F(KeyKeeperTest, FilesAreReadAtStartAndWhenTheyChange) {
  ground.files.put("keys.json", keys_of({"a"}));
  Process process{ground, {Process::local()}};
  process.start();
  EXPECT_TRUE(process.in_force("a", "file-issuer"));
  EXPECT_EQ(process.keeper.ask("file-issuer", "b"), KeyAnswer::refuse);
  const auto generation = process.keeper.generation();
  process.run_for(10s);
  EXPECT_EQ(process.keeper.generation(), generation);
  ground.files.put("keys.json", keys_of({"b"}));
  process.run_for(2s);
  EXPECT_TRUE(process.in_force("b", "file-issuer") && !process.in_force("a", "file-issuer"));
  for (const std::string& bad : {std::string{"{"}, keys_of({"c", "c"})}) {
    ground.files.put("keys.json", bad);
    process.run_for(10s);
    EXPECT_TRUE(process.in_force("b", "file-issuer")) << "the last good set stays";
  }
  ground.files.put("keys.json", keys_of({"c"}), true);
  process.run_for(10s);
  EXPECT_FALSE(process.in_force("c", "file-issuer"));
  ground.files.files.erase("keys.json");
  process.run_for(10s);
  EXPECT_TRUE(process.in_force("b", "file-issuer"));
  EXPECT_EQ(process.log.count("keys.refused"), 4u) << "each fault is said once";
}

TEST_F(KeyKeeperTest, StartIsRefusedForAFileThatIsAbsentExposedOrBad) {
  const auto fault = [&](bool demonstration = false) {
    Process process{ground, {Process::local()}, {.demonstration = demonstration}};
    const auto loaded = process.keeper.load();
    return loaded ? std::string{} : loaded.error();
  };
  EXPECT_EQ(fault(), "access.issuer 'file-issuer': keys.json: there is no such file");
  ground.files.put("keys.json", keys_of({"a"}), true);
  EXPECT_NE(fault().find("chmod 600"), std::string::npos);
  ground.files.put("keys.json", keys_of({"a", "a"}));
  EXPECT_NE(fault().find("repeats a kid"), std::string::npos);
  ground.files.put("keys.json", keys_of({"demo-1"}));
  EXPECT_NE(fault().find("--demo"), std::string::npos);
  EXPECT_EQ(fault(true), "");
  ground.files.put("keys.json", keys_of({"a"}));
  EXPECT_EQ(fault(), "");
  Process twice{ground, {Process::local(), Process::local()}};
  EXPECT_NE(twice.keeper.load().error().find("more than one table"), std::string::npos);
}

TEST_F(KeyKeeperTest, ReloadFetchesSoon) {
  provider.body = keys_of({"a"});
  Process process{ground, {Process::remote(ground)}};
  process.start();
  process.run_for(1min);
  provider.body = keys_of({"b"});
  process.keeper.reload();
  process.run_for(1s);
  EXPECT_TRUE(process.in_force("b"));
}

TEST_F(KeyKeeperTest, ASlowIssuerHarmsNoOther) {
  provider.delay = 1h;
  ground.files.put("keys.json", keys_of({"a"}));
  Process process{ground, {Process::remote(ground), Process::local()}};
  process.start();
  process.run_for(1s);
  ground.files.put("keys.json", keys_of({"b"}));
  process.run_for(2s);
  EXPECT_TRUE(process.in_force("b", "file-issuer"));
}

TEST_F(KeyKeeperTest, ACancelledKeeperEnds) {
  for (const Duration into : {Duration{10ms}, Duration{1min}}) {  // in a fetch, and between two
    Process process{ground, {Process::remote(ground)}};
    ASSERT_TRUE(process.keeper.load());
    process.keeper.start(process.context.get_executor());
    process.run_for(into);
    EXPECT_EQ(process.tasks.live(), 1u);
    process.tasks.cancel();
    process.run_for(1s);
    EXPECT_EQ(process.tasks.live(), 0u);
  }
}

TEST_F(KeyKeeperTest, AViewSeesTheNextRingAtOnce) {
  ground.files.put("keys.json", keys_of({"a"}));
  Process process{ground, {Process::local()}};
  KeyView view{process.keeper};
  EXPECT_EQ(view.current().find("file-issuer")->keys, nullptr);
  process.start();
  EXPECT_NE(view.current().find("file-issuer")->keys, nullptr);
  EXPECT_EQ(&view.current(), process.keeper.ring().get());
}

TEST_F(KeyKeeperTest, ShardsReadWhileKeysChange) {
  ground.files.put("keys.json", keys_of({"a"}));
  Process process{ground, {Process::local()}};
  process.start();
  std::atomic<bool> done{false};
  std::vector<std::thread> shards;
  std::atomic<int> without{0};
  for (int i = 0; i < 2; ++i)
    shards.emplace_back([&] {
      KeyView view{process.keeper};
      for (std::uint64_t last = 0; !done; last = view.current().generation) {
        const auto& ring = view.current();
        without += ring.generation < last || ring.find("file-issuer")->keys->keys.size() != 1;
      }
    });
  for (int i = 0; i < 200; ++i) {
    ground.files.put("keys.json", keys_of({i % 2 == 0 ? "b" : "a"}));
    process.run_for(1s);
  }
  done = true;
  for (auto& shard : shards) shard.join();
  EXPECT_EQ(without, 0);
  EXPECT_GT(process.keeper.generation(), 100u);
}

TEST_F(KeyKeeperTest, OnlySoManyRequestsWait) {
  provider.body = keys_of({"a"});
  provider.delay = 1s;
  Process process{ground, {Process::remote(ground)}};
  process.start();
  process.run_for(1min);
  provider.body = keys_of({"a", "b"});
  std::map<KeyAnswer, int> answers;
  for (int i = 0; i < 300; ++i)
    asio::co_spawn(process.context,
                   process.keeper.settle(remote_issuer, "b", {process.clock.now() + 3s}),
                   [&](std::exception_ptr, KeyAnswer answer) { ++answers[answer]; });
  process.run_for(5s);
  EXPECT_EQ(answers[KeyAnswer::known_now], 256);
  EXPECT_EQ(answers[KeyAnswer::come_again], 44);
}

}  // namespace
}  // namespace vesper
