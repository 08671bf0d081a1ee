// What the embedded journal costs: CPU a diary by batch and kind of key, disk a diary with all
// tables and indexes, start time, commit times. Floor: the same bytes into a pre-written file.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/random.hpp"
#include "io/sqlite/sqlite_journal.hpp"
#include "stages/journal/journal_formats.hpp"
#include "stages/journal/receipt_key.hpp"

namespace vesper {
namespace {

class WallClock final : public Clock {
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

class SeededEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(random_.next());
  }

 private:
  Random random_{7};
};

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double user_seconds() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
}

enum class Keys { v7, v4 };

/// Diaries like the ones every figure speaks of: 615 bytes of JSON, 13 answers, 20,000 patients.
class Diaries {
 public:
  Diaries(Keys keys, std::size_t source_bytes) : keys_(keys) {
    caller_.issuer = "https://id.example";
    caller_.kid = "2026-11";
    caller_.algorithm = "HS256";
    caller_.scopes.add(Scope::patient);
    source_ = R"({"submissionId":"019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b","answers":{)";
    while (source_.size() < source_bytes) source_ += R"("pain-nrs":4,"note":"slept badly",)";
    source_.resize(source_bytes, ' ');
  }
  void prepare(PreparedEntry& out) {
    const std::uint64_t number = number_++;
    const Uuid submission = keys_ == Keys::v7
                                ? uuid_v7(1763640845123 + static_cast<std::int64_t>(number / 20),
                                          random_.next(), random_.next())
                                : random_uuid();
    const std::string subject = fmt::format("S-{:06}", random_.below(20'000));
    caller_.subject = subject;
    caller_.jti = to_string(random_uuid());
    const std::string text = to_string(submission);
    source_.replace(17, text.size(), text);
    JournalEntry entry;
    entry.submission_id = submission;
    entry.trial_id = "EVENING-01";
    entry.subject_id = PatientText{subject};
    entry.delivery_id = rules_.delivery_id(entry.trial_id, entry.subject_id, submission);
    entry.trial_revision = 1;
    entry.form_id = "evening-diary";
    entry.form_version = "3";
    entry.source = source_;
    entry.content_hash = rules_.content_hash(source_);
    entry.received_at = WallTime{std::chrono::milliseconds{1763640845123}};
    entry.authored = PatientText{"2026-11-20T20:14:05+08:00"};
    site_ = fmt::format("site-{:02}", random_.below(50));
    entry.site = site_;
    entry.app_version = "2.4.1";
    entry.caller = &caller_;
    entry.mapper_version = 1;
    entry.destinations = &destinations_;
    out.assign(entry, rules_);
  }

 private:
  Uuid random_uuid() {
    Uuid id;
    for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(random_.next());
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
    return id;
  }
  const JournalRules& rules_ = journal_formats();
  Keys keys_;
  Random random_{42};
  std::uint64_t number_ = 0;
  Caller caller_;
  std::string source_, site_;
  std::vector<std::string> destinations_{"default"};
};

struct Series {
  double cpu_us = 0, user_us = 0, prepare_us = 0, settle_us = 0, read_us = 0, p50_ms = 0,
         p99_ms = 0, max_ms = 0, rate = 0;
};

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

Settlement delivered(Position position) {
  Settlement settlement;
  settlement.position = position;
  settlement.attempts = 1;
  settlement.http_status = 200;
  settlement.evidence_headers =
      "content-type: application/fhir+json\netag: W/\"1\"\nlocation: Bundle/1";
  settlement.body_digest.fill(static_cast<std::uint8_t>(position));
  settlement.at = WallTime{std::chrono::milliseconds{1763640846000}};
  return settlement;
}

Series run(SqliteJournal& journal, Diaries& diaries, std::size_t rows, std::size_t batch,
           bool deliver) {
  std::vector<PreparedEntry> entries(batch);
  std::vector<const PreparedEntry*> pointers;
  for (auto& entry : entries) pointers.push_back(&entry);
  std::vector<SqliteJournal::Result> results(batch, std::unexpected(StoreFault::broken));
  std::vector<double> times;
  Series series;
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < rows; done += batch) {
    double at = cpu_seconds();
    for (auto& entry : entries) diaries.prepare(entry);
    series.prepare_us += cpu_seconds() - at;
    at = cpu_seconds();
    const double user_at = user_seconds();
    const auto group_began = std::chrono::steady_clock::now();
    if (!journal.commit_group(pointers, {}, results)) std::abort();
    if (!journal.checkpoint(false)) std::abort();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - group_began)
            .count());
    series.cpu_us += cpu_seconds() - at;
    series.user_us += user_seconds() - user_at;
    if (!deliver) continue;
    at = cpu_seconds();
    std::vector<Settlement> settlements;
    SqliteJournal::Task task[] = {[&](SqliteJournal& inside) {
      for (const auto& owed : inside.outbox().lease("default", 0, batch))
        settlements.push_back(delivered(owed.position));
      inside.outbox().settle("default", settlements);
    }};
    if (!journal.commit_group({}, task, {})) std::abort();
    if (!journal.checkpoint(false)) std::abort();
    series.settle_us += cpu_seconds() - at;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const double count = static_cast<double>(rows);
  series.cpu_us *= 1e6 / count;
  series.user_us *= 1e6 / count;
  series.prepare_us *= 1e6 / count;
  series.settle_us *= 1e6 / count;
  series.p50_ms = percentile(times, 0.5);
  series.p99_ms = percentile(times, 0.99);
  series.max_ms = times.back();
  series.rate = count / seconds;
  return series;
}

/// The same 1 KB a diary appended to a file that was written before, then fdatasync.
Series run_floor(const std::string& path, std::size_t rows, std::size_t batch) {
  constexpr std::size_t record = 900;
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  std::vector<char> bytes(1 << 20, 'x');
  for (int i = 0; i < 64; ++i)
    if (write(file, bytes.data(), bytes.size()) < 0) std::abort();
  fsync(file);
  Series series;
  std::vector<double> times;
  off_t offset = 0;
  const double at = cpu_seconds();
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < rows; done += batch) {
    const auto group_began = std::chrono::steady_clock::now();
    const std::size_t size = batch * record;
    if (offset + static_cast<off_t>(size) > (64 << 20)) offset = 0;
    if (pwrite(file, bytes.data(), std::min(size, bytes.size()), offset) < 0) std::abort();
    offset += static_cast<off_t>(size);
    fdatasync(file);
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - group_began)
            .count());
  }
  series.cpu_us = (cpu_seconds() - at) * 1e6 / static_cast<double>(rows);
  series.rate = static_cast<double>(rows) /
                std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  series.p50_ms = percentile(times, 0.5);
  series.p99_ms = percentile(times, 0.99);
  close(file);
  return series;
}

struct Settings {
  std::string directory = ".";
  std::size_t preload = 100'000, rows = 50'000;
  std::vector<std::size_t> batches{1, 8, 64, 256};
  SqliteOptions options;
  std::size_t source_bytes = 615;
  bool deliver = false, unclean = false;
  std::string sign = "none";
};

std::unique_ptr<SqliteJournal> open_journal(const SqliteOptions& options, WallClock& clock,
                                            SeededEntropy& entropy) {
  auto journal = SqliteJournal::open(options, journal_formats(), clock, entropy);
  if (!journal) {
    fmt::print(stderr, "{}\n", journal.error().detail);
    std::exit(3);
  }
  return std::move(*journal);
}

ReceiptSigning signing(const std::string& algorithm) {
  if (algorithm == "none") return {};
  std::array<std::uint8_t, receipt_key_entropy_bytes> seed{};
  seed.fill(1);
  const auto pem = make_receipt_key(
      algorithm == "ES256" ? ReceiptAlgorithm::es256 : ReceiptAlgorithm::eddsa, seed);
  return [pem](bool) { return ReceiptSigner::from_pem(pem); };
}

void run_keys(Settings settings, Keys keys, const char* name) {
  WallClock clock;
  SeededEntropy entropy;
  settings.options.signer = signing(settings.sign);
  settings.options.path = settings.directory + "/journal-bench-" + name + ".db";
  for (const char* suffix : {"", "-wal", "-shm", ".lock"})
    std::filesystem::remove(settings.options.path + suffix);
  auto journal = open_journal(settings.options, clock, entropy);
  Diaries diaries(keys, settings.source_bytes);
  std::ignore = run(*journal, diaries, settings.preload, 1000, settings.deliver);
  for (const std::size_t batch : settings.batches) {
    const std::size_t rows = batch == 1 ? settings.rows / 10 : settings.rows;
    const Series floor = run_floor(settings.directory + "/floor.log", rows, batch);
    const Series series = run(*journal, diaries, rows, batch, settings.deliver);
    fmt::print(
        "{} b={:<4} cpu {:6.2f} us (user {:5.2f}, floor {:5.2f}, ratio {:4.2f})  shard side "
        "{:4.2f}  "
        "settle {:5.2f}  {:7.0f}/s  commit p50 {:6.2f} p99 {:6.2f} max {:6.2f} ms (floor p99 "
        "{:5.2f})\n",
        name, batch, series.cpu_us, series.user_us, floor.cpu_us, series.cpu_us / floor.cpu_us,
        series.prepare_us, series.settle_us, series.rate, series.p50_ms, series.p99_ms,
        series.max_ms, floor.p99_ms);
  }
  const Position rows = journal->last_position();
  if (!settings.unclean && !journal->settle_down()) std::abort();
  const auto bytes = file_bytes(settings.options.path);
  journal.reset();
  const auto began = std::chrono::steady_clock::now();
  journal = open_journal(settings.options, clock, entropy);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  fmt::print("{} {} diaries: {:.0f} bytes a diary after checkpoint{}, start {:.3f} s\n", name, rows,
             static_cast<double>(bytes) / static_cast<double>(rows),
             settings.deliver ? ", all delivered with evidence" : "", seconds);
}

}  // namespace
}  // namespace vesper

int main(int argc, char** argv) {
  vesper::Settings settings;
  std::string keys = "both";
  CLI::App app{"CPU, disk and start time of the embedded journal"};
  app.add_option("--directory", settings.directory, "where the files go");
  app.add_option("--preload", settings.preload, "diaries stored before measuring");
  app.add_option("--rows", settings.rows, "diaries measured a batch size");
  app.add_option("--batch", settings.batches, "batch sizes");
  app.add_option("--keys", keys, "v7, v4 or both");
  app.add_option("--page", settings.options.page_bytes, "page size, bytes");
  app.add_option("--checkpoint", settings.options.checkpoint_frames, "log pages");
  app.add_option("--cache", settings.options.cache_bytes, "page cache, bytes");
  app.add_option("--run", settings.options.index_run_keys, "keys an index run");
  app.add_option("--source", settings.source_bytes, "bytes kept a diary");
  app.add_flag("--deliver", settings.deliver, "settle every diary as well");
  app.add_option("--sign", settings.sign, "none, EdDSA or ES256");
  app.add_flag("--unclean", settings.unclean, "start again without a clean stop");
  CLI11_PARSE(app, argc, argv);
  if (keys != "v4") vesper::run_keys(settings, vesper::Keys::v7, "v7");
  if (keys != "v7") vesper::run_keys(settings, vesper::Keys::v4, "v4");
}
