#pragma once
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "io/sqlite/sqlite_store.hpp"
#include "stages/journal/journal_formats.hpp"

// What the tests of io/sqlite share: a directory, a clock, seeded entropy, and a store to drive.
namespace vesper {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "vesper-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(std::string_view name) const {
    return path_ + "/" + std::string{name};
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class TestClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override {
    return Instant{std::chrono::steady_clock::now().time_since_epoch()};
  }
  [[nodiscard]] WallTime wall() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  }
  asio::awaitable<bool> sleep_until(Instant) override { co_return true; }
};

class TestEntropy final : public Entropy {
 public:
  explicit TestEntropy(std::uint64_t seed = 1) : random_(seed) {}
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(random_.next());
  }

 private:
  Random random_;
};

class TestTelemetry final : public Telemetry {
 public:
  void count(Counter counter, std::uint64_t n) override {
    counts_[static_cast<std::size_t>(counter)] += n;
  }
  void set(Gauge, std::int64_t) override {}
  void add(Gauge, std::int64_t) override {}
  void observe(Histogram, Duration) override {}
  [[nodiscard]] std::uint64_t counted(Counter counter) const {
    return counts_[static_cast<std::size_t>(counter)];
  }

 private:
  std::atomic<std::uint64_t> counts_[static_cast<std::size_t>(Counter::count_)]{};
};

/// Options that suit small tests: an ample disk is assumed, runs are short.
inline SqliteOptions test_options(const std::string& path) {
  SqliteOptions options;
  options.path = path;
  options.reserve_bytes = 1;
  options.reserve_percent = 0;
  return options;
}

/// A store on a directory of its own, driven by one io_context of the calling thread.
class TestStore {
 public:
  TestStore() : options(test_options(directory.file("journal.db"))) {}
  ~TestStore() {
    if (store) store->stop();
  }
  void open() {
    auto opened = try_open();
    if (!opened) throw std::runtime_error(opened.error().detail);
  }
  std::expected<void, OpenFailure> try_open() {
    auto opened = SqliteStore::open(options, journal_formats(), clock, entropy, telemetry,
                                    [this](std::string_view why) { fatal = why; });
    if (!opened) return std::unexpected(opened.error());
    store = std::move(*opened);
    return {};
  }
  void restart() {
    store->stop();
    store.reset();
    open();
  }
  void drive_all(std::vector<std::function<asio::awaitable<void>()>> bodies) {
    for (auto& body : bodies)
      asio::co_spawn(context, body, [](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
      });
    context.restart();
    context.run();
  }
  void drive(std::function<asio::awaitable<void>()> body) {
    std::vector<std::function<asio::awaitable<void>()>> one;
    one.push_back(std::move(body));
    drive_all(std::move(one));
  }
  [[nodiscard]] Deadline soon() const { return {clock.now() + 30s}; }

  TemporaryDirectory directory;
  asio::io_context context{1};  ///< outlives the store, whose threads post to it
  SqliteOptions options;
  TestClock clock;
  TestEntropy entropy;
  TestTelemetry telemetry;
  std::string fatal;
  std::unique_ptr<SqliteStore> store;
};

}  // namespace vesper
