// What a holder of the journal's file may do to it, and what finds it.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>

#include "contract/test_diary.hpp"
#include "io/sqlite/verify_journal.hpp"
#include "journal/test_store.hpp"
#include "stages/journal/receipt.hpp"
#include "stages/journal/receipt_check.hpp"
#include "stages/journal/receipt_key.hpp"

namespace vesper {
namespace {

using contract::TestDiary;

std::shared_ptr<const LinkSigner> signer_of(std::uint8_t seed, ReceiptAlgorithm algorithm) {
  std::array<std::uint8_t, receipt_key_entropy_bytes> entropy{};
  entropy.fill(seed);
  return std::shared_ptr<const LinkSigner>(
      std::move(*ReceiptSigner::from_pem(make_receipt_key(algorithm, entropy))));
}

/// Claims to be one key and signs with another: what a holder without the key can do at most.
class Forger final : public LinkSigner {
 public:
  Forger(ReceiptKeyFacts claimed, std::shared_ptr<const LinkSigner> own)
      : claimed_(std::move(claimed)), own_(std::move(own)) {}
  [[nodiscard]] const ReceiptKeyFacts& key() const override { return claimed_; }
  [[nodiscard]] Signature sign(const LinkStatement& statement) const override {
    return own_->sign(statement);
  }

 private:
  ReceiptKeyFacts claimed_;
  std::shared_ptr<const LinkSigner> own_;
};

class Tampering : public testing::Test {
 protected:
  static constexpr std::uint64_t entropy_seed = 5;

  void open(std::shared_ptr<const LinkSigner> signer) {
    SqliteOptions options = test_options(path);
    options.anchor_entries = 8;
    options.signer = [signer](bool) { return signer; };
    journal.reset();
    auto opened = SqliteJournal::open(options, journal_formats(), clock, entropy);
    ASSERT_TRUE(opened) << opened.error().detail;
    journal = std::move(*opened);
  }
  std::vector<Committed> commit(std::vector<TestDiary> diaries,
                                std::vector<SqliteJournal::Task> tasks = {}) {
    std::vector<PreparedEntry> entries(diaries.size());
    std::vector<const PreparedEntry*> pointers;
    for (std::size_t i = 0; i < diaries.size(); ++i) {
      entries[i].assign(diaries[i].entry(), journal_formats());
      pointers.push_back(&entries[i]);
    }
    std::vector<SqliteJournal::Result> results(diaries.size(), std::unexpected(StoreFault::broken));
    EXPECT_TRUE(journal->commit_group(pointers, tasks, results));
    std::vector<Committed> committed;
    for (auto& result : results)
      if (result) committed.push_back(*result);
    EXPECT_EQ(committed.size(), diaries.size());
    return committed;
  }
  /// Every table has rows: diaries of all kinds, events, conflicts, trials, debts in each state.
  void fill() {
    open(first_key);
    std::vector<SqliteJournal::Task> publish;
    publish.emplace_back([&](SqliteJournal& inside) {
      EXPECT_TRUE(inside.publish({"T", 1, R"({"id":"T"})", "local", "first", clock.wall()}));
      inside.record({"outbox.pause", "local", "default", "why", clock.wall()});
    });
    commit({}, std::move(publish));
    for (std::uint64_t seed = 1; seed <= 30; seed += 5) {
      std::vector<TestDiary> group;
      for (std::uint64_t i = seed; i < seed + 5; ++i) {
        group.emplace_back(i, i % 2 == 0 ? "S-000123" : "S-000124");
        if (i % 7 == 0) group.back().disposition = Disposition::held;
        if (i % 7 == 0) group.back().held_reason = HeldReason::form_unknown;
        if (i % 5 == 0) group.back().amends = group.front().submission;
        if (i % 3 == 0) group.back().caller.subject = "nurse";
      }
      commit(std::move(group));
    }
    commit({TestDiary(2, "S-000123", "{}"), TestDiary(4, "S-000123", "[]")});
    open(second_key);  // rotated
    commit({TestDiary(31), TestDiary(32), TestDiary(33)});
    std::vector<SqliteJournal::Task> deliver;
    deliver.emplace_back([&](SqliteJournal& inside) { settle(inside.outbox()); });
    deliver.emplace_back(
        [&](SqliteJournal& inside) { (void)inside.outbox().lease("default", 0, 100); });
    commit({TestDiary(34)}, std::move(deliver));
    ASSERT_TRUE(journal->settle_down());
    tell();
  }
  void settle(OutboxTables& outbox) {
    std::vector<Settlement> settlements;
    for (const auto& owed : outbox.lease("default", 0, 9)) {
      Settlement one;
      one.position = owed.position;
      one.lane = owed.lane;
      one.delivery_id = owed.delivery_id;
      one.state = owed.position == 9 ? DeliveryState::parked : DeliveryState::delivered;
      one.attempts = 1;
      one.http_status = owed.position == 9 ? 422 : 201;
      one.evidence_headers = "etag: 1";
      one.at = clock.wall();
      settlements.push_back(one);
    }
    outbox.settle("default", settlements);
  }
  void tell() {
    keys.clear();
    for (const auto& key : journal->receipt_keys().all()) keys.push_back(*key);
    anchors = {anchor()};
  }
  [[nodiscard]] SignedLink anchor() const {
    const auto proof = journal->newest_proof();
    return {{journal->chain_id(), proof->seal.number, journal->link()},
            proof->seal.committed_at,
            proof->key->kid,
            proof->key->algorithm,
            proof->signature};
  }
  /// What verification says; empty: all is well.
  std::string verdict(const std::string& of, bool anchored = false) {
    VerifyRequest request;
    request.path = of;
    request.keys = keys;
    if (anchored) request.anchors = anchors;
    request.seed = {1, 2};
    const auto report = verify_journal(request, journal_formats());
    return report ? report->fault : "cannot be read: " + report.error().detail;
  }
  std::string copy(std::string_view name) {
    const std::string to = directory.file(name);
    std::filesystem::copy_file(path, to, std::filesystem::copy_options::overwrite_existing);
    return to;
  }

  TemporaryDirectory directory;
  std::string path = directory.file("journal.db");
  TestClock clock;
  TestEntropy entropy{entropy_seed};
  std::shared_ptr<const LinkSigner> first_key = signer_of(1, ReceiptAlgorithm::eddsa),
                                    second_key = signer_of(2, ReceiptAlgorithm::es256);
  std::unique_ptr<SqliteJournal> journal;
  std::vector<ReceiptKeyFacts> keys;
  std::vector<SignedLink> anchors;
};

/// A database that is changed by hand.
class Hand {
 public:
  explicit Hand(const std::string& path) {
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    execute("PRAGMA synchronous=OFF");
  }
  Hand(const Hand&) = delete;
  Hand& operator=(const Hand&) = delete;
  ~Hand() { sqlite3_close(database_); }
  /// The number of rows changed; 0 also when a constraint forbids it.
  int execute(const std::string& sql) {
    const int before = sqlite3_total_changes(database_);
    if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return 0;
    return sqlite3_total_changes(database_) - before;
  }
  std::vector<std::vector<std::string>> rows(const std::string& sql) {
    std::vector<std::vector<std::string>> out;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sql;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      auto& row = out.emplace_back();
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        row.emplace_back(text == nullptr ? "NULL" : text);
      }
    }
    sqlite3_finalize(statement);
    return out;
  }

 private:
  sqlite3* database_ = nullptr;
};

// Operational state, which is no evidence of a diary (decision 0303): the chain says nothing of it.
const std::set<std::string> operational = {"meta.value",
                                           "owed.attempts",
                                           "blocked.attempts",
                                           "parked.attempts",
                                           "settled.attempts",
                                           "settled.http_status",
                                           "settled.evidence_headers",
                                           "settled.at",
                                           "settled.reason",
                                           "settled.body_digest",
                                           "parked.http_status",
                                           "parked.at",
                                           "parked.reason",
                                           "parked.evidence_headers",
                                           "parked.body_digest",
                                           "destinations.paused"};

struct Column {
  std::string table, name;
  std::vector<std::string> key;
};

std::vector<Column> columns_of(Hand& hand) {
  std::vector<Column> columns;
  for (const auto& table :
       hand.rows("SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite%'")) {
    std::vector<std::string> key, names;
    for (const auto& row : hand.rows("PRAGMA table_info(" + table[0] + ")")) {
      if (row[5] != "0") key.push_back(row[1]);
      names.push_back(row[1]);
    }
    for (const auto& name : names)
      if (!operational.contains(table[0] + "." + name) && table[0] != "meta")
        columns.push_back({table[0], name, key});
  }
  return columns;
}

/// One random change of one value, or of one row; what it was, or nothing when it was forbidden.
std::optional<std::string> change(Hand& hand, const Column& column, Random& random) {
  const std::string& table = column.table;
  const auto total = hand.rows("SELECT count(*) FROM " + table)[0][0];
  if (total == "0") return std::nullopt;
  const auto offset = std::to_string(random.next() % std::stoull(total));
  std::string key_list, where;
  for (const auto& name : column.key)
    key_list += (key_list.empty() ? "" : ",") + ("quote(" + name + ")");
  const auto row = hand.rows("SELECT " + key_list + ",quote(" + column.name + "),typeof(" +
                             column.name + ") FROM " + table + " LIMIT 1 OFFSET " + offset)[0];
  for (std::size_t i = 0; i < column.key.size(); ++i)
    where += (where.empty() ? " WHERE " : " AND ") + column.key[i] + "=" + row[i];
  const std::string& old = row[column.key.size()];
  const std::string& type = row[column.key.size() + 1];
  std::string fresh;
  switch (random.next() % 8) {
    case 0:
      if (hand.execute("DELETE FROM " + table + where) == 0) return std::nullopt;
      return "deleted " + table + where;
    case 1: {  // swapped with the value of another row
      const auto other = hand.rows("SELECT quote(" + column.name + ") FROM " + table +
                                   " ORDER BY random() LIMIT 1")[0][0];
      fresh = other;
      break;
    }
    case 2:
      fresh = old == "NULL" ? "x'00112233445566778899aabbccddeeff'" : "NULL";
      break;
    default:
      if (type == "integer") {
        fresh =
            std::to_string(std::stoll(old) ^ static_cast<long long>(1ull << random.next() % 62));
      } else if (old.size() > 3) {
        const std::string hex =
            hand.rows("SELECT hex(" + column.name + ") FROM " + table + where)[0][0];
        if (hex.empty()) return std::nullopt;
        std::string flipped = hex;
        char& digit = flipped[random.next() % flipped.size()];
        const int value =
            (digit <= '9' ? digit - '0' : digit - 'A' + 10) ^ (1 << random.next() % 4);
        digit = "0123456789ABCDEF"[value];
        fresh = type == "text" ? "CAST(x'" + flipped + "' AS TEXT)" : "x'" + flipped + "'";
      } else {
        fresh = type == "text" ? "'x'" : "7";
      }
  }
  if (fresh == old) return std::nullopt;
  const std::string sql = "UPDATE " + table + " SET " + column.name + "=" + fresh + where +
                          " AND " + column.name + " IS NOT " + fresh;
  if (hand.execute(sql) == 0) return std::nullopt;
  return sql;
}

std::size_t trials_wanted() {
  const char* given = std::getenv("VESPER_TAMPERINGS");
  return given == nullptr ? 400 : std::stoul(given);
}

// Goal: every single change to a copy is found. Method: a random column of a random row of every
// table, all of those that are evidence; a bit flipped, a value swapped, emptied, a row deleted.
TEST_F(Tampering, EveryRandomSingleChangeToACopyIsFound) {
  fill();
  journal.reset();
  ASSERT_EQ(verdict(path, true), "");  // negative control: unchanged, it verifies
  const std::size_t wanted = trials_wanted();
  std::size_t made = 0;
  std::set<std::string> tables;
  Random random(20261120);
  for (std::size_t i = 0; made < wanted; ++i) {
    const std::string to = copy("copy.db");
    std::optional<std::string> what;
    {
      Hand hand(to);
      const auto columns = columns_of(hand);
      const Column& column = columns[i % columns.size()];
      what = change(hand, column, random);
      if (what) tables.insert(column.table);
    }
    std::filesystem::remove(to + "-wal");
    if (!what) continue;
    ++made;
    EXPECT_NE(verdict(to, true), "") << "seed 20261120, change " << made << ": " << *what;
  }
  std::cout << made << " changes, over " << tables.size() << " tables\n";
  EXPECT_GE(tables.size(), 11u);
}

TEST_F(Tampering, ADroppedLastGroupIsFoundByAnAnchorAndOnlyByIt) {
  fill();
  open(second_key);
  commit({TestDiary(40)});
  ASSERT_TRUE(journal->settle_down());
  anchors = {anchor()};
  journal.reset();
  const std::string cut = copy("cut.db");
  {
    Hand hand(cut);
    // With all that follows from it: nothing inside the journal contradicts the cut.
    const std::string last = hand.rows("SELECT max(position) FROM diaries")[0][0];
    const std::string group = hand.rows("SELECT max(number) FROM groups")[0][0];
    EXPECT_EQ(hand.execute("DELETE FROM diaries WHERE position=" + last), 1);
    EXPECT_EQ(hand.execute("DELETE FROM groups WHERE number=" + group), 1);
    EXPECT_EQ(hand.execute("DELETE FROM keys WHERE position=" + last), 1);
    EXPECT_EQ(hand.execute("DELETE FROM owed WHERE position=" + last), 1);
    hand.execute("UPDATE destinations SET owed=owed-1");
    hand.execute("UPDATE meta SET value=value-1 WHERE name='indexed_to'");
    hand.execute("UPDATE meta SET value=1 WHERE name='anchor'");
  }
  EXPECT_EQ(verdict(cut), "");
  EXPECT_NE(verdict(cut, true).find("it was truncated, or an older copy was restored"),
            std::string::npos);
  EXPECT_EQ(verdict(path, true), "");
}

TEST_F(Tampering, AnOlderCopyThatWasContinuedIsFoundByAnAnchor) {
  fill();
  journal.reset();
  const std::string older = copy("older.db");
  open(second_key);
  commit({TestDiary(40)});
  ASSERT_TRUE(journal->settle_down());
  anchors = {anchor()};
  journal.reset();
  std::filesystem::copy_file(older, path, std::filesystem::copy_options::overwrite_existing);
  open(second_key);
  commit({TestDiary(41)});
  ASSERT_TRUE(journal->settle_down());
  journal.reset();
  EXPECT_EQ(verdict(path), "");
  EXPECT_NE(verdict(path, true).find("continued from an older copy"), std::string::npos);
}

TEST_F(Tampering, AChainMadeAnewWithoutTheKeyIsFound) {
  fill();
  const auto stolen = keys;
  const auto anchored = anchors;
  journal.reset();
  std::filesystem::remove(path);
  first_key = std::make_shared<Forger>(first_key->key(), signer_of(8, ReceiptAlgorithm::eddsa));
  second_key = std::make_shared<Forger>(second_key->key(), signer_of(9, ReceiptAlgorithm::es256));
  open(first_key);
  commit({TestDiary(1)});
  ASSERT_TRUE(journal->settle_down());
  journal.reset();
  keys = stolen;
  EXPECT_NE(verdict(path).find("does not verify: its signature"), std::string::npos);
  std::filesystem::remove(path);
  first_key = signer_of(8, ReceiptAlgorithm::eddsa);
  open(first_key);
  commit({TestDiary(1)});
  ASSERT_TRUE(journal->settle_down());
  journal.reset();
  EXPECT_NE(verdict(path).find("which is not trusted"), std::string::npos);
  keys.clear();  // its own keys, believed: this is what --keys is for
  EXPECT_EQ(verdict(path), "");
  anchors = anchored;
  EXPECT_NE(verdict(path, true), "");
}

TEST_F(Tampering, AChangedAnchorIsRefused) {
  fill();
  journal.reset();
  const SignedLink good = anchors[0];
  anchors[0].statement.group -= 1;
  EXPECT_NE(verdict(path, true).find("it was changed"), std::string::npos);
  anchors[0] = good;
  anchors[0].signature[5] ^= 1;
  EXPECT_NE(verdict(path, true).find("it was changed"), std::string::npos);
  anchors[0] = good;
  anchors[0].statement.chain = Uuid{};
  EXPECT_NE(verdict(path, true).find("another chain"), std::string::npos);
}

TEST_F(Tampering, SaltsOfTwoDiariesCannotBeSwapped) {
  fill();
  journal.reset();
  {
    Hand hand(path);
    EXPECT_EQ(hand.execute("UPDATE diaries SET salt=(SELECT salt FROM diaries d WHERE d.position="
                           "5-diaries.position) WHERE position IN (2,3)"),
              2);
  }
  EXPECT_NE(verdict(path).find("does not verify"), std::string::npos);
}

TEST_F(Tampering, ReceiptsAreEqualAndVerifyAtOnceOnRepeatAndAfterARestart) {
  fill();
  const std::vector<TestDiary> diaries{TestDiary(50), TestDiary(51), TestDiary(52)};
  const auto text_of = [](const Committed& committed) {
    std::string text;
    write_receipt(text, committed.facts);
    return text;
  };
  const auto first = commit(diaries);
  const auto again = commit(diaries);
  open(second_key);
  const auto later = commit(diaries);
  for (std::size_t i = 0; i < diaries.size(); ++i) {
    const std::string text = text_of(first[i]);
    EXPECT_EQ(text_of(again[i]), text);
    EXPECT_EQ(text_of(later[i]), text);
    const auto shown = read_receipt(text);
    ASSERT_TRUE(shown) << shown.error();
    const auto checked = check_receipt(*shown, keys, diaries[i].source);
    EXPECT_TRUE(checked) << checked.error();
  }
}

TEST_F(Tampering, ARetiredKeyDoesNotComeBack) {
  fill();
  journal.reset();
  SqliteOptions options = test_options(path);
  options.signer = [&](bool first) {
    EXPECT_FALSE(first);
    return first_key;
  };
  const auto opened = SqliteJournal::open(options, journal_formats(), clock, entropy);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, OpenFault::receipt_key);
}

}  // namespace
}  // namespace vesper
