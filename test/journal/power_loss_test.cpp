#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "contract/test_diary.hpp"
#include "journal/crash_disk.hpp"
#include "journal/test_store.hpp"
#include "stages/journal/receipt.hpp"

namespace vesper {
namespace {

using contract::TestDiary;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// One machine that loses power again and again; remembers what it acknowledged.
class Machine {
 public:
  Machine(std::uint64_t seed, Durability durability) : disk(seed), random_(seed ^ 0x5eed) {
    options_ = test_options("journal");
    options_.vfs = CrashDisk::vfs_name();
    options_.durability = durability;
    options_.page_bytes = 4096;
    options_.checkpoint_frames = 48;
    options_.index_run_keys = 24;
    options_.index_slice_keys = 5;
    options_.anchor_entries = 40;
  }

  std::expected<void, OpenFailure> open() {
    auto opened = SqliteJournal::open(options_, journal_formats(), clock_, entropy_);
    if (!opened) return std::unexpected(opened.error());
    journal_ = std::move(*opened);
    return {};
  }
  void close() { journal_.reset(); }

  /// Groups of new diaries, settlements and audit events until a call fails. False: it did.
  bool work(int groups) {
    for (int i = 0; i < groups; ++i)
      if (!one_group()) return false;
    return true;
  }

  struct Verdict {
    std::size_t lost = 0, settled_again = 0;
    std::optional<std::string> chain;
  };
  Verdict check() {
    Verdict verdict;
    for (const auto& [seed, receipt] : acknowledged_) {
      const auto result = commit(TestDiary(seed));
      std::string found;
      if (result) write_receipt(found, result->facts);
      if (!result || result->how != Committed::How::replay || found != receipt) ++verdict.lost;
    }
    SqliteJournal::Task task[] = {[&](SqliteJournal& inside) {
      for (const auto& owed : inside.outbox().lease("default", 0, 100'000))
        if (settled_.contains(owed.position)) ++verdict.settled_again;
    }};
    EXPECT_TRUE(journal_->commit_group({}, task, {}));
    verdict.chain = journal_->verify_whole_chain();
    return verdict;
  }
  [[nodiscard]] std::size_t acknowledged() const { return acknowledged_.size(); }
  /// What is gone is no longer expected, so that a control run counts each loss once.
  void forget() {
    acknowledged_.clear();
    settled_.clear();
  }
  [[nodiscard]] SqliteJournal& journal() const { return *journal_; }

  CrashDisk disk;

 private:
  SqliteJournal::Result commit(const TestDiary& diary) {
    PreparedEntry entry;
    entry.assign(diary.entry(), journal_formats());
    const PreparedEntry* entries[] = {&entry};
    SqliteJournal::Result results[] = {std::unexpected(StoreFault::broken)};
    std::ignore = journal_->commit_group(entries, {}, results);
    return results[0];
  }

  bool one_group() {
    const std::size_t count = 1 + random_.below(6);
    std::vector<std::uint64_t> seeds;
    std::vector<PreparedEntry> entries(count);
    std::vector<const PreparedEntry*> pointers;
    for (auto& entry : entries) {
      seeds.push_back(++next_seed_);
      entry.assign(TestDiary(next_seed_).entry(), journal_formats());
      pointers.push_back(&entry);
    }
    std::vector<SqliteJournal::Result> results(count, std::unexpected(StoreFault::broken));
    std::set<Position> settling;
    SqliteJournal::Task task[] = {[&](SqliteJournal& inside) {
      if (random_.chance(0.2)) inside.record({"test", "local", "t", "r", clock_.wall()});
      std::vector<Settlement> settlements;
      for (const auto& owed : inside.outbox().lease("default", 0, random_.below(4))) {
        settling.insert(owed.position);
        Settlement& settlement = settlements.emplace_back();
        settlement.position = owed.position;
        settlement.attempts = 1;
        settlement.at = clock_.wall();
      }
      if (!settlements.empty()) inside.outbox().settle("default", settlements);
    }};
    if (!journal_->commit_group(pointers, task, results)) return false;
    for (std::size_t i = 0; i < count; ++i) {
      if (!results[i]) return false;
      write_receipt(acknowledged_[seeds[i]], results[i]->facts);
    }
    settled_.merge(settling);
    return journal_->checkpoint(random_.chance(0.05));
  }

  SqliteOptions options_;
  Random random_;
  TestClock clock_;
  TestEntropy entropy_;
  std::unique_ptr<SqliteJournal> journal_;
  std::map<std::uint64_t, std::string> acknowledged_;
  std::set<Position> settled_;
  std::uint64_t next_seed_ = 0;
};

struct Losses {
  std::uint64_t crashes = 0, runs_with_loss = 0, corrupt = 0, acknowledged = 0;
};

/// Crashes at random calls, sometimes again while recovering, `crashes` times.
Losses crash_often(std::uint64_t seed, std::uint64_t crashes, Durability durability) {
  Losses losses;
  Random random(seed);
  while (losses.crashes < crashes) {
    Machine machine(random.next(), durability);
    for (int life = 0; life < 8 && losses.crashes < crashes; ++life) {
      machine.disk.arm(CrashDisk::Fault::power, 1 + random.below(500), true);
      if (machine.open()) std::ignore = machine.work(1'000'000);
      machine.close();
      machine.disk.power_loss();
      ++losses.crashes;
      if (random.chance(0.2)) {  // the power goes again before recovery is through
        machine.disk.arm(CrashDisk::Fault::power, 1 + random.below(12), true);
        std::ignore = machine.open();
        machine.close();
        machine.disk.power_loss();
        ++losses.crashes;
      }
      if (const auto opened = machine.open(); !opened) {
        ++losses.corrupt;
        ADD_FAILURE() << "seed " << seed << ": " << opened.error().detail;
        break;
      }
      const auto verdict = machine.check();
      losses.acknowledged += machine.acknowledged();
      if (verdict.lost + verdict.settled_again != 0) {
        ++losses.runs_with_loss;
        machine.forget();
      }
      if (verdict.chain) ++losses.corrupt;
      machine.close();
    }
  }
  return losses;
}

// Goal: what was acknowledged survives power loss; what was settled stays settled.
// Method: SQLite on a disk that forgets 70 % of what was not synced at a random call.
TEST(PowerLoss, AcknowledgedDiariesSurvive) {
  const auto crashes = from_environment("VESPER_CRASHES", 150);
  const auto seed = from_environment("VESPER_SEED", 20261123);
  const Losses losses = crash_often(seed, crashes, Durability::full);
  EXPECT_EQ(losses.runs_with_loss, 0u) << "VESPER_SEED=" << seed;
  EXPECT_EQ(losses.corrupt, 0u) << "VESPER_SEED=" << seed;
  EXPECT_GT(losses.acknowledged, crashes * 10);
  RecordProperty("crashes", std::to_string(losses.crashes));
  RecordProperty("acknowledged", std::to_string(losses.acknowledged));
}

// Negative control: the same test must see the loss of a journal that does not sync each commit.
TEST(PowerLoss, NormalSynchronousIsCaughtLosingThem) {
  const auto crashes = from_environment("VESPER_CRASHES", 150) / 2;
  const Losses losses = crash_often(7, crashes, Durability::normal_for_tests_only);
  EXPECT_GT(losses.runs_with_loss * 2, losses.crashes)
      << losses.runs_with_loss << " of " << losses.crashes;
}

struct FailureCase {
  CrashDisk::Fault fault;
  bool persistent;
  const char* name;
};
class NthFailure : public testing::TestWithParam<FailureCase> {};

// Goal: whichever call fails, nothing is acknowledged that is not stored, and the journal opens
// again. Method: the same work with the 1st, 2nd, ... call failing until none is left to fail.
TEST_P(NthFailure, NeverMakesAcknowledgementsLie) {
  const auto [fault, persistent, name] = GetParam();
  const auto stride = from_environment("VESPER_FAILURE_STRIDE", 5);
  std::uint64_t points = 0;
  for (std::uint64_t at = 1;; at += stride) {
    Machine machine(at, Durability::full);
    machine.disk.arm(fault, at, persistent);
    if (machine.open()) {
      std::ignore = machine.work(25);
      if (machine.disk.fired() && fault == CrashDisk::Fault::input_output && persistent) {
        EXPECT_TRUE(machine.journal().broken()) << "call " << at;
      }
    }
    const bool fired = machine.disk.fired();
    machine.close();
    machine.disk.disarm();
    machine.disk.power_loss();
    const auto opened = machine.open();
    ASSERT_TRUE(opened) << "call " << at << ": " << opened.error().detail;
    const auto verdict = machine.check();
    EXPECT_EQ(verdict.lost, 0u) << "call " << at;
    EXPECT_EQ(verdict.settled_again, 0u) << "call " << at;
    EXPECT_FALSE(verdict.chain) << "call " << at << ": " << *verdict.chain;
    machine.close();
    if (!fired) break;
    ++points;
  }
  EXPECT_GT(points, 20u);
}

INSTANTIATE_TEST_SUITE_P(
    Disk, NthFailure,
    testing::Values(FailureCase{CrashDisk::Fault::input_output, false, "ErrorOnce"},
                    FailureCase{CrashDisk::Fault::input_output, true, "ErrorForEver"},
                    FailureCase{CrashDisk::Fault::full, false, "FullOnce"},
                    FailureCase{CrashDisk::Fault::full, true, "FullForEver"},
                    FailureCase{CrashDisk::Fault::short_write, false, "ShortWriteOnce"},
                    FailureCase{CrashDisk::Fault::short_write, true, "ShortWriteForEver"}),
    [](const auto& info) { return info.param.name; });

// A full disk is not the end: what was stored is still answered, and room brings new diaries back.
TEST(FullDisk, IsTakenBackAndAnsweredAsReserve) {
  Machine machine(1, Durability::full);
  ASSERT_TRUE(machine.open());
  ASSERT_TRUE(machine.work(10));
  machine.disk.arm(CrashDisk::Fault::full, 1, true);
  EXPECT_FALSE(machine.work(1));
  EXPECT_FALSE(machine.journal().broken());
  machine.disk.disarm();
  const auto verdict = machine.check();
  EXPECT_EQ(verdict.lost, 0u);
  EXPECT_FALSE(verdict.chain);
}

// Nor when it is the copy from the log into the database that finds no room.
TEST(FullDisk, ACheckpointWithoutRoomLeavesTheLogAsItIs) {
  Machine machine(1, Durability::full);
  ASSERT_TRUE(machine.open());
  ASSERT_TRUE(machine.work(10));
  machine.disk.arm(CrashDisk::Fault::full, 2, true);  // the log's sync still succeeds
  EXPECT_TRUE(machine.journal().checkpoint(true));
  EXPECT_FALSE(machine.journal().broken());
  EXPECT_GT(machine.journal().wal_frames(), 0);
  machine.disk.disarm();
  machine.journal().set_disk_reserve(false);
  EXPECT_TRUE(machine.journal().checkpoint(true));
  EXPECT_TRUE(machine.work(1));
  const auto verdict = machine.check();
  EXPECT_EQ(verdict.lost, 0u);
  EXPECT_FALSE(verdict.chain);
}

}  // namespace
}  // namespace vesper
