#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "contract/test_diary.hpp"
#include "io/sqlite/schema.hpp"
#include "io/sqlite/schema_steps.hpp"
#include "journal/crash_disk.hpp"
#include "journal/test_store.hpp"

namespace vesper {
namespace {

using contract::TestDiary;

/// Runs SQL on a database file that no journal has open.
void alter(const std::string& path, const std::string& sql, const char* vfs = nullptr) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, vfs), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_free(error);
  sqlite3_close(database);
}

class JournalOpen : public testing::Test {
 protected:
  std::expected<std::unique_ptr<SqliteJournal>, OpenFailure> open() {
    return SqliteJournal::open(options, journal_formats(), clock, entropy);
  }
  void fill(std::uint64_t count, std::size_t a_group = 3) {
    auto journal = open();
    ASSERT_TRUE(journal) << journal.error().detail;
    for (std::uint64_t done = 0; done < count; done += a_group) {
      std::vector<PreparedEntry> entries(a_group);
      std::vector<const PreparedEntry*> pointers;
      for (auto& entry : entries) {
        entry.assign(TestDiary(++seed).entry(), journal_formats());
        pointers.push_back(&entry);
      }
      std::vector<SqliteJournal::Result> results(a_group, std::unexpected(StoreFault::broken));
      SqliteJournal::Task task[] = {[&](SqliteJournal& inside) {
        inside.record({"test", "local", "target", "reason", clock.wall()});
      }};
      ASSERT_TRUE((*journal)->commit_group(pointers, task, results));
    }
    ASSERT_TRUE((*journal)->settle_down());
  }
  OpenFault fault_of_open() {
    auto journal = open();
    EXPECT_FALSE(journal);
    return journal ? OpenFault::cannot_read : journal.error().fault;
  }

  TemporaryDirectory directory;
  SqliteOptions options = test_options(directory.file("journal.db"));
  TestClock clock;
  TestEntropy entropy;
  std::uint64_t seed = 0;
};

TEST_F(JournalOpen, HasTheSettingsItPromises) {
  fill(3);
  struct stat info{};
  ASSERT_EQ(stat(options.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  auto journal = open();
  ASSERT_TRUE(journal);
  Connection reader(options.path, Connection::Access::read, "");
  EXPECT_EQ(reader.integer("PRAGMA application_id"), journal_application_id);
  EXPECT_EQ(reader.integer("PRAGMA user_version"), schema_version());
  EXPECT_EQ(reader.integer("PRAGMA page_size"), 16384);
  EXPECT_EQ(reader.text("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(reader.integer("PRAGMA query_only"), 1);
  EXPECT_THROW(reader.execute("DELETE FROM diaries"), SqliteError);
}

TEST_F(JournalOpen, AssertsTheOneWriterRuleForTheLinkedSqlite) {
  // Before 3.51.3 a second connection that writes or checkpoints can corrupt the log; the reader's
  // connection can do neither, also when it is the last to close.
  fill(3);
  auto journal = open();
  ASSERT_TRUE(journal);
  Connection reader(options.path, Connection::Access::read, "");
  int no_checkpoint = 0;
  sqlite3_db_config(reader.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &no_checkpoint);
  EXPECT_EQ(no_checkpoint, 1);
  EXPECT_GE(sqlite3_libversion_number(), 3037000);
  EXPECT_NE(sqlite3_threadsafe(), 0);
}

TEST_F(JournalOpen, RefusesADatabaseFromTheFuture) {
  fill(3);
  alter(options.path, "PRAGMA user_version=" + std::to_string(schema_version() + 1));
  EXPECT_EQ(fault_of_open(), OpenFault::from_the_future);
}

TEST_F(JournalOpen, RefusesAnotherApplicationsDatabase) {
  {
    std::ofstream(options.path);
  }
  chmod(options.path.c_str(), 0600);
  alter(options.path, "CREATE TABLE t(a)");
  EXPECT_EQ(fault_of_open(), OpenFault::not_a_journal);
}

TEST_F(JournalOpen, RefusesAFileThatIsNoDatabase) {
  {
    std::ofstream file(options.path);
    for (int i = 0; i < 100; ++i) file << "this is no database, whatever its name says\n";
  }
  chmod(options.path.c_str(), 0600);
  EXPECT_EQ(fault_of_open(), OpenFault::not_a_journal);
}

TEST_F(JournalOpen, RefusesAnotherJournalMode) {
  fill(3);
  alter(options.path, "PRAGMA journal_mode=DELETE");
  EXPECT_EQ(fault_of_open(), OpenFault::wrong_settings);
}

TEST_F(JournalOpen, RefusesFilesThatOthersCanRead) {
  fill(3);
  chmod(options.path.c_str(), 0640);
  EXPECT_EQ(fault_of_open(), OpenFault::readable_by_others);
  chmod(options.path.c_str(), 0604);
  EXPECT_EQ(fault_of_open(), OpenFault::readable_by_others);
  chmod(options.path.c_str(), 0600);
  EXPECT_TRUE(open());
  chmod(directory.path().c_str(), 0777);
  EXPECT_EQ(fault_of_open(), OpenFault::readable_by_others);
  chmod(directory.path().c_str(), 0755);
  EXPECT_TRUE(open());
}

TEST_F(JournalOpen, RefusesASecondProcess) {
  auto journal = open();
  ASSERT_TRUE(journal);
  const pid_t child = fork();
  if (child == 0) {
    const auto second = open();
    _exit(!second && second.error().fault == OpenFault::in_use ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  journal->reset();
  EXPECT_TRUE(open());
}

TEST_F(JournalOpen, RefusesATailThatDoesNotVerify) {
  fill(9);
  alter(options.path, "UPDATE diaries SET source=x'7b7d' WHERE position=5");
  EXPECT_EQ(fault_of_open(), OpenFault::chain_broken);
}

TEST_F(JournalOpen, RefusesATailWithAMissingGroup) {
  fill(9);
  alter(options.path, "DELETE FROM diaries WHERE position>6; DELETE FROM groups WHERE number=2");
  EXPECT_EQ(fault_of_open(), OpenFault::chain_broken);
}

TEST_F(JournalOpen, VerifiesOnlyWhatIsAfterTheAnchor) {
  options.anchor_entries = 6;
  fill(18);
  // Position 1 is behind the anchor: start does not read it, `vesper verify` does.
  alter(options.path, "UPDATE diaries SET source=x'7b7d' WHERE position=1");
  auto journal = open();
  ASSERT_TRUE(journal) << journal.error().detail;
  EXPECT_TRUE((*journal)->verify_whole_chain());
}

TEST_F(JournalOpen, ContinuesTheChainAndTheIndexAfterARestart) {
  options.index_run_keys = 8;
  options.index_slice_keys = 2;
  fill(30);
  fill(30);
  auto journal = open();
  ASSERT_TRUE(journal);
  EXPECT_EQ((*journal)->last_position(), 60u);
  EXPECT_FALSE((*journal)->verify_whole_chain());
  for (std::uint64_t i = 1; i <= 60; ++i) {
    const TestDiary diary(i);
    const auto entry = diary.entry();
    EXPECT_TRUE((*journal)->keys().find(entry.submission_id, entry.delivery_id)) << i;
  }
  EXPECT_EQ((*journal)->keys().unindexed(), 0u);
}

// Goal: any changed byte of what is stored is found. Method: every byte of each stored value of
// every chained table flipped in turn, on a journal in memory; the whole chain must refuse each.
TEST_F(JournalOpen, EveryFlippedByteOfAStoredRecordIsFound) {
  CrashDisk disk(1);
  options.path = "journal";
  options.vfs = CrashDisk::vfs_name();
  fill(6);
  {
    auto journal = open();
    ASSERT_TRUE(journal);
    SqliteJournal::Task task[] = {[&](SqliteJournal& inside) {
      EXPECT_TRUE(inside.publish({"T", 1, R"({"id":"T"})", "local", "first", clock.wall()}));
    }};
    ASSERT_TRUE((*journal)->commit_group({}, task, {}));
    ASSERT_TRUE((*journal)->settle_down());
  }
  const std::string whole = disk.bytes_of("journal");
  std::vector<std::string> needles;
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open_v2("journal", &database, SQLITE_OPEN_READWRITE, "crash"), SQLITE_OK);
  for (const char* sql :
       {"SELECT source FROM diaries", "SELECT salt FROM diaries",
        "SELECT content_hash FROM diaries", "SELECT submission_id||delivery_id FROM diaries",
        "SELECT subject_id||authored||jti FROM diaries WHERE position=2",
        "SELECT encoding FROM contexts", "SELECT link FROM groups", "SELECT document FROM trials",
        "SELECT action||actor||target||reason FROM audit WHERE id=2", "SELECT salt FROM audit"}) {
    sqlite3_stmt* rows = nullptr;
    ASSERT_EQ(sqlite3_prepare_v2(database, sql, -1, &rows, nullptr), SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW)
      needles.emplace_back(static_cast<const char*>(sqlite3_column_blob(rows, 0)),
                           static_cast<std::size_t>(sqlite3_column_bytes(rows, 0)));
    sqlite3_finalize(rows);
  }
  sqlite3_close(database);
  std::size_t flips = 0, found = 0;
  for (const std::string& needle : needles) {
    const std::size_t at = whole.find(needle);
    ASSERT_NE(at, std::string::npos);
    for (std::size_t i = 0; i < needle.size(); ++i) {
      disk.bytes_of("journal") = whole;
      disk.bytes_of("journal")[at + i] ^= 0x10;
      ++flips;
      const auto journal = open();
      if (!journal || (*journal)->verify_whole_chain()) ++found;
    }
  }
  EXPECT_GT(flips, 900u);
  EXPECT_EQ(found, flips);
  disk.bytes_of("journal") = whole;
  EXPECT_TRUE(open());  // negative control: unflipped, it opens
}

/// A journal as the release of schema version 1 left it.
void restore_version_1(const std::string& path) {
  const char* source = std::getenv("VESPER_SOURCE");
  std::ifstream file(std::string(source == nullptr ? "." : source) + "/test/journal/version_1.sql");
  std::stringstream rows;
  rows << file.rdbuf();
  ASSERT_GT(rows.str().size(), 7000u);
  alter(path,
        "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA user_version=1;"
        "PRAGMA application_id=" +
            std::to_string(journal_application_id));
  alter(path, schema_steps()[0]);
  alter(path, rows.str());
}

TEST_F(JournalOpen, BringsAJournalOfVersion1Forward) {
  {
    std::ofstream(options.path);
  }
  chmod(options.path.c_str(), 0600);
  restore_version_1(options.path);
  fill(6);
  auto journal = open();
  ASSERT_TRUE(journal) << journal.error().detail;
  EXPECT_EQ((*journal)->last_position(), 6u);  // the same diaries again: replays
  EXPECT_EQ((*journal)->verify_whole_chain(), std::nullopt);
  Connection reader(options.path, Connection::Access::read, "");
  EXPECT_EQ(reader.integer("PRAGMA user_version"), schema_version());
}

}  // namespace
}  // namespace vesper
