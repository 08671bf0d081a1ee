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

// Commits, questions and outcomes in any order: each answer is what a list of all debts would say.
TEST_F(FreshDiariesTest, MemoryAndTablesTogetherTellEveryDebtInOrder) {
  struct Debt {
    std::string subject;
    bool parked = false;
  };
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    test.options.path = test.directory.file("journal-" + std::to_string(seed) + ".db");
    test.options.fresh_bytes_max = seed % 3 == 0 ? 4'000 : 1 << 20;
    test.open();
    Random random(seed);
    std::map<std::string, std::map<Position, Debt>> debts{{"default", {}}, {"second", {}}};
    std::map<std::string, Position> cursor;
    std::map<std::string, std::set<Position>> leased;
    Position next = 1;
    test.drive([&]() -> asio::awaitable<void> {
      for (int step = 0; step < 150; ++step) {
        const std::string to = random.chance(0.5) ? "default" : "second";
        auto& owed = debts[to];
        if (random.chance(0.4)) {
          TestDiary diary(next + 1000 * seed, "S-" + std::to_string(random.below(5)));
          diary.destinations.clear();
          if (random.chance(0.8)) diary.destinations.push_back("default");
          if (random.chance(0.8)) diary.destinations.push_back("second");
          for (const auto& name : diary.destinations) debts[name][next] = {diary.subject};
          co_await commit(std::move(diary));
          ++next;
        } else if (random.chance(0.6)) {
          if (random.chance(0.1)) cursor[to] = 0;
          const Position after = cursor[to];
          const std::size_t limit = 1 + random.below(6);
          const auto told = co_await lease(after, limit, to);
          std::set<std::string> blocked;
          std::vector<Position> must;
          for (const auto& [position, debt] : owed) {
            if (debt.parked) blocked.insert(debt.subject);
            if (!blocked.contains(debt.subject) && position > after) must.push_back(position);
          }
          std::vector<Position> free;
          for (const auto& entry : told) {
            EXPECT_TRUE(owed.contains(entry.position) && !owed[entry.position].parked);
            leased[to].insert(entry.position);
            cursor[to] = entry.position;
            if (std::ranges::find(must, entry.position) != must.end())
              free.push_back(entry.position);
          }
          if (told.size() < limit)
            EXPECT_EQ(free, must);
          else
            EXPECT_TRUE(std::ranges::equal(free, std::span(must).first(free.size())));
        } else if (!leased[to].empty()) {
          const Position position = *leased[to].begin();
          leased[to].erase(leased[to].begin());
          if (owed.contains(position) && !owed[position].parked) {
            const bool park = random.chance(0.05);
            co_await settle(position, park ? DeliveryState::parked : DeliveryState::delivered, to);
            park ? void(owed[position].parked = true) : void(owed.erase(position));
          }
        }
      }
      auto counts = (co_await test.store->counts()).value();
      for (const auto& count : counts)
        EXPECT_EQ(count.owed + count.parked, debts[count.destination].size());
    });
    test.store->stop();
  }
}

}  // namespace
}  // namespace vesper
