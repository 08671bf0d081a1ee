// What was just committed is told from memory; the tables say the same, and say the rest.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "contract/test_diary.hpp"
#include "journal/test_store.hpp"

namespace vesper {
namespace {

using contract::TestDiary;

class FreshDiariesTest : public testing::Test {
 protected:
  asio::awaitable<std::vector<OwedEntry>> lease(Position after, std::size_t limit,
                                                std::string to = "default") {
    auto page = co_await test.store->lease(to, after, limit);
    EXPECT_TRUE(page.has_value());
    co_return std::move(*page);
  }
  asio::awaitable<void> commit(TestDiary diary) {
    const JournalEntry entry = diary.entry();
    EXPECT_TRUE(co_await test.store->commit(entry, test.soon()));
  }
  asio::awaitable<void> settle(Position position, DeliveryState state, std::string to = "default") {
    Settlement settlement;
    settlement.position = position;
    settlement.state = state;
    settlement.attempts = 1;
    if (state != DeliveryState::delivered) settlement.reason = "http-422";
    EXPECT_TRUE(co_await test.store->settle(to, std::span(&settlement, 1)));
  }
  /// Whether the diary is in memory: read twice, it is one and the same.
  asio::awaitable<bool> in_memory(Position position) {
    const auto once = co_await test.store->at_all({&position, 1});
    const auto again = co_await test.store->at_all({&position, 1});
    EXPECT_TRUE(once && again);
    co_return once->front() == again->front();
  }
  TestStore test;
};

TEST_F(FreshDiariesTest, WhatWasJustCommittedIsInMemoryUntilItIsSettled) {
  test.open();
  test.drive([&]() -> asio::awaitable<void> {
    co_await commit(TestDiary(1));
    EXPECT_FALSE(co_await in_memory(1));  // nobody keeps up yet
    EXPECT_EQ((co_await lease(0, 10)).size(), 1u);
    co_await commit(TestDiary(2));
    co_await commit(TestDiary(3, "S-other"));
    const auto told = co_await lease(1, 10);
    EXPECT_EQ(told.size(), 2u);
    EXPECT_TRUE(co_await in_memory(2));
    EXPECT_TRUE(co_await in_memory(3));
    co_await settle(2, DeliveryState::delivered);
    EXPECT_FALSE(co_await in_memory(2));
    EXPECT_TRUE(co_await in_memory(3));
  });
}

TEST_F(FreshDiariesTest, AFreshDiaryEqualsTheOneThatIsReadBack) {
  test.open();
  test.drive([&]() -> asio::awaitable<void> {
    (void)co_await lease(0, 10);
    TestDiary diary(1);
    diary.caller.subject = "nurse-7";
    diary.amends = TestDiary(9).submission;
    co_await commit(diary);
    (void)co_await lease(0, 10);
    co_await commit(std::move(diary = TestDiary(2)));
    const auto entry = (co_await lease(1, 10)).at(0);
    const Position position = 2;
    const auto fresh = (co_await test.store->at_all({&position, 1})).value().at(0);
    const auto read = (co_await test.store->at(position)).value();
    EXPECT_EQ(entry.delivery_id, read.facts.delivery_id);
    EXPECT_EQ(fresh->position, read.position);
    EXPECT_EQ(fresh->source, read.source);
    for (const auto text :
         {&StoredDiary::trial_id, &StoredDiary::subject_id, &StoredDiary::form_id,
          &StoredDiary::form_version, &StoredDiary::authored, &StoredDiary::site,
          &StoredDiary::app_version, &StoredDiary::issuer, &StoredDiary::kid, &StoredDiary::jti,
          &StoredDiary::acr, &StoredDiary::amr, &StoredDiary::caller_subject})
      EXPECT_EQ((*fresh).*text, read.*text);
    EXPECT_EQ(fresh->trial_revision, read.trial_revision);
    EXPECT_EQ(fresh->media, read.media);
    EXPECT_EQ(fresh->mapper_version, read.mapper_version);
    EXPECT_EQ(fresh->amends, read.amends);
    EXPECT_EQ(fresh->held_reason, read.held_reason);
    EXPECT_EQ(fresh->caller_scopes, read.caller_scopes);
    EXPECT_EQ(fresh->facts.received_at, read.facts.received_at);
    EXPECT_EQ(fresh->facts.content_hash, read.facts.content_hash);
    EXPECT_EQ(fresh->facts.group, read.facts.group);
    EXPECT_EQ(fresh->facts.index, read.facts.index);
    EXPECT_EQ(fresh->facts.group_hash, read.facts.group_hash);
    EXPECT_EQ(fresh->facts.chain_id, read.facts.chain_id);
  });
}

TEST_F(FreshDiariesTest, AQuestionAskedAgainIsAnsweredAgain) {
  test.open();
  test.drive([&]() -> asio::awaitable<void> {
    (void)co_await lease(0, 10);
    co_await commit(TestDiary(1));
    co_await commit(TestDiary(2));
    EXPECT_EQ((co_await lease(0, 10)).size(), 2u);
    EXPECT_EQ((co_await lease(0, 10)).size(), 2u);
    EXPECT_EQ((co_await lease(2, 10)).size(), 0u);
    co_await commit(TestDiary(3));
    EXPECT_EQ((co_await lease(2, 10)).size(), 1u);
  });
}

/// Commits, questions and outcomes in any order, beside a list of all debts.
class Evening {
 public:
  Evening(TestStore& test, std::uint64_t seed) : test_(test), seed_(seed), random_(seed) {}
  asio::awaitable<void> run() {
    for (int step = 0; step < 150; ++step) {
      const std::string to = random_.chance(0.5) ? "default" : "second";
      if (random_.chance(0.4))
        co_await commit();
      else if (random_.chance(0.6))
        co_await ask(to);
      else if (!leased_[to].empty())
        co_await settle(to);
    }
    const auto counts = (co_await test_.store->counts()).value();
    for (const auto& count : counts)
      EXPECT_EQ(count.owed + count.parked, debts_[count.destination].size());
  }

 private:
  struct Debt {
    std::string subject;
    bool parked = false;
  };

  asio::awaitable<void> commit() {
    TestDiary diary(next_ + 1000 * seed_, "S-" + std::to_string(random_.below(5)));
    diary.destinations.clear();
    for (const auto name : {"default", "second"})
      if (random_.chance(0.8)) diary.destinations.emplace_back(name);
    for (const auto& name : diary.destinations) debts_[name][next_] = {diary.subject};
    const JournalEntry entry = diary.entry();
    EXPECT_TRUE(co_await test_.store->commit(entry, test_.soon()));
    ++next_;
  }

  // Those behind a parked one of their patient may be told or not.
  asio::awaitable<void> ask(const std::string to) {
    auto& owed = debts_[to];
    if (random_.chance(0.1)) cursor_[to] = 0;
    const Position after = cursor_[to];
    const std::size_t limit = 1 + random_.below(6);
    const auto told = (co_await test_.store->lease(to, after, limit)).value();
    std::set<std::string> blocked;
    std::vector<Position> must, free;
    for (const auto& [position, debt] : owed) {
      if (debt.parked) blocked.insert(debt.subject);
      if (!blocked.contains(debt.subject) && position > after) must.push_back(position);
    }
    for (const auto& entry : told) {
      EXPECT_TRUE(owed.contains(entry.position) && !owed[entry.position].parked);
      leased_[to].insert(entry.position);
      cursor_[to] = entry.position;
      if (std::ranges::find(must, entry.position) != must.end()) free.push_back(entry.position);
    }
    if (told.size() == limit && free.size() < must.size()) must.resize(free.size());
    EXPECT_EQ(free, must);
  }

  asio::awaitable<void> settle(const std::string to) {
    Settlement settlement;
    settlement.position = *leased_[to].begin();
    leased_[to].erase(leased_[to].begin());
    const auto debt = debts_[to].find(settlement.position);
    if (debt == debts_[to].end() || debt->second.parked) co_return;
    debt->second.parked = random_.chance(0.05);
    settlement.state = debt->second.parked ? DeliveryState::parked : DeliveryState::delivered;
    if (debt->second.parked)
      settlement.reason = "http-422";
    else
      debts_[to].erase(debt);
    EXPECT_TRUE(co_await test_.store->settle(to, std::span(&settlement, 1)));
  }

  TestStore& test_;
  const std::uint64_t seed_;
  Random random_;
  std::map<std::string, std::map<Position, Debt>> debts_;
  std::map<std::string, Position> cursor_;
  std::map<std::string, std::set<Position>> leased_;
  Position next_ = 1;
};

TEST_F(FreshDiariesTest, MemoryAndTablesTogetherTellEveryDebtInOrder) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    test.options.path = test.directory.file("journal-" + std::to_string(seed) + ".db");
    test.options.fresh_bytes_max = seed == 3 ? 4'000 : 1 << 20;
    test.open();
    Evening evening(test, seed);
    test.drive([&] { return evening.run(); });
    test.store->stop();
  }
}

}  // namespace
}  // namespace vesper
