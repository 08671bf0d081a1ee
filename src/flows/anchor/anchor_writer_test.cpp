#include "flows/anchor/anchor_writer.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <vector>

#include "io/log/memory_log.hpp"
#include "stages/journal/anchor.hpp"

namespace vesper {
namespace {

class Chain final : public SignedChain {
 public:
  [[nodiscard]] std::optional<SignedLink> newest_link() const override { return link; }
  void commit(std::uint64_t groups = 1) {
    if (!link) link.emplace();
    link->statement.group += groups;
    link->kid = "k";
    link->algorithm = "EdDSA";
  }
  std::optional<SignedLink> link;
};

class Disk final : public FileStore {
 public:
  std::expected<std::string, FileFault> read(const std::string&, std::size_t, Secrecy) override {
    return "secret\n";
  }
  std::expected<void, FileFault> replace(const std::string&, std::string_view) override {
    return std::unexpected(FileFault::failed);
  }
  std::expected<void, FileFault> append(const std::string& path, std::string_view text) override {
    if (full) return std::unexpected(FileFault::failed);
    files[path] += text;
    return {};
  }
  std::expected<FileStamp, FileFault> stamp(const std::string&) override { return FileStamp{}; }
  std::expected<void, FileFault> owner_only(const std::string&) override { return {}; }
  std::map<std::string, std::string> files;
  bool full = false;
};

class Notary final : public HttpFetch {
 public:
  asio::awaitable<std::expected<FetchReply, FetchFault>> fetch(const Request& request,
                                                               Deadline deadline) override {
    bodies.emplace_back(request.body);
    authorization = request.authorization;
    waits_until = deadline.at;
    if (dead) co_return std::unexpected(FetchFault::timed_out);
    FetchReply reply;
    reply.status = status;
    co_return reply;
  }
  std::vector<std::string> bodies;
  std::string authorization;
  Instant waits_until{};
  std::uint16_t status = 204;
  bool dead = false;
};

class Hand final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return at; }
  [[nodiscard]] WallTime wall() const override { return {}; }
  asio::awaitable<bool> sleep_until(Instant) override { co_return false; }
  Instant at{1h};
};

class Figures final : public Telemetry {
 public:
  void count(Counter counter, std::uint64_t n) override { counts[counter] += n; }
  void set(Gauge gauge, std::int64_t value) override { gauges[gauge] = value; }
  void add(Gauge, std::int64_t) override {}
  void observe(Histogram, Duration) override {}
  std::map<Counter, std::uint64_t> counts;
  std::map<Gauge, std::int64_t> gauges;
};

class AnchorWriterTest : public testing::Test {
 protected:
  AnchorWriterTest() { settings.file = "a"; }
  void drive(asio::awaitable<void> work) {
    asio::co_spawn(context, std::move(work), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
    context.restart();
    context.run();
  }
  void look(Duration later = 0s) {
    if (!writer)
      writer.emplace(settings, AnchorWriter::Parts{chain, disk, notary, clock, figures, log});
    clock.at += later;
    drive(writer->look());
  }
  [[nodiscard]] std::vector<std::uint64_t> written() {
    std::vector<std::uint64_t> groups;
    const auto anchors = read_anchors(disk.files["a"]);
    EXPECT_TRUE(anchors);
    for (const auto& anchor : *anchors) groups.push_back(anchor.statement.group);
    return groups;
  }

  asio::io_context context;
  AnchorSettings settings;
  Chain chain;
  Disk disk;
  Notary notary;
  Hand clock;
  Figures figures;
  MemoryLog log;
  std::optional<AnchorWriter> writer;
};

using Groups = std::vector<std::uint64_t>;

TEST_F(AnchorWriterTest, WritesTheFirstLinkAtOnceAndLaterOnesWhenTheirTimeHasCome) {
  look();
  EXPECT_EQ(written(), Groups{});
  chain.commit();
  look();
  EXPECT_EQ(written(), Groups{1});
  chain.commit();
  look(59s);
  EXPECT_EQ(written(), Groups{1});
  look(1s);
  EXPECT_EQ(written(), (Groups{1, 2}));
  look(1h);  // nothing was committed
  EXPECT_EQ(written(), (Groups{1, 2}));
}

TEST_F(AnchorWriterTest, WritesEarlierAfterSoManyGroups) {
  settings.every_groups = 10;
  chain.commit();
  look();
  chain.commit(9);
  look(1s);
  EXPECT_EQ(written(), Groups{1});
  chain.commit();
  look(1s);
  EXPECT_EQ(written(), (Groups{1, 11}));
}

TEST_F(AnchorWriterTest, AFailureIsCountedToldOnceAnHourAndTriedAgainLaterEachTime) {
  disk.full = true;
  chain.commit();
  std::vector<std::int64_t> tries;
  for (int second = 0; second < 130; ++second) {
    const auto before = figures.counts[Counter::anchors_failed_to_file];
    look(second == 0 ? 0s : 1s);
    if (figures.counts[Counter::anchors_failed_to_file] != before) tries.push_back(second);
  }
  EXPECT_EQ(tries, (std::vector<std::int64_t>{0, 1, 3, 7, 15, 31, 63, 123}));
  EXPECT_EQ(log.count("anchor.failed"), 1u);
  EXPECT_EQ(figures.gauges[Gauge::anchors_failing], 1);
  look(1h);
  EXPECT_EQ(log.count("anchor.failed"), 2u);
  disk.full = false;
  chain.commit(5);
  look(60s);
  EXPECT_EQ(written(), Groups{6});
  EXPECT_EQ(log.count("anchor.restored"), 1u);
  EXPECT_EQ(figures.gauges[Gauge::anchors_failing], 0);
}

TEST_F(AnchorWriterTest, PostsWithItsTokenAndADeadlineAndOnePlaceNeverHoldsUpTheOther) {
  settings.url = "https://notary.example/";
  settings.bearer_file = "token";
  notary.dead = true;
  chain.commit();
  look();
  EXPECT_EQ(written(), Groups{1});
  EXPECT_EQ(notary.authorization, "Bearer secret");
  EXPECT_EQ(notary.waits_until, clock.at + 5s);
  EXPECT_EQ(figures.counts[Counter::anchors_failed_to_url], 1u);
  EXPECT_EQ(figures.gauges[Gauge::anchors_failing], 1);
  notary.dead = false;
  notary.status = 500;
  look(1s);
  EXPECT_EQ(figures.counts[Counter::anchors_failed_to_url], 2u);
  notary.status = 200;
  look(2s);
  EXPECT_EQ(figures.counts[Counter::anchors_to_url], 1u);
  EXPECT_EQ(notary.bodies.back(), disk.files["a"]);
}

TEST_F(AnchorWriterTest, ACleanStopWritesTheLastLink) {
  chain.commit();
  look();
  chain.commit(3);
  drive(writer->finish({clock.at + 500ms}));
  EXPECT_EQ(written(), (Groups{1, 4}));
}

}  // namespace
}  // namespace vesper
