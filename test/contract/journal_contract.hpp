#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "contract/test_diary.hpp"
#include "ports/journal_store.hpp"
#include "ports/outbox_store.hpp"
#include "stages/journal/delivery_id.hpp"
#include "stages/journal/receipt.hpp"
#include "stages/journal/sha256.hpp"

namespace vesper::contract {

/// What a store's tests bring along.
///   drive() runs a coroutine to its end; restart() closes and opens the same storage.
class Harness {
 public:
  virtual ~Harness() = default;
  virtual void drive(std::function<asio::awaitable<void>()> body) = 0;
  /// Starts all at once, returns when all have ended.
  virtual void drive_all(std::vector<std::function<asio::awaitable<void>()>> bodies) = 0;
  virtual void restart() = 0;
  virtual JournalStore& journal() = 0;
  virtual OutboxStore& outbox() = 0;
  virtual Deadline soon() = 0;
};

template <class HarnessType>
class JournalContract : public testing::Test {
 protected:
  using CommitResult = std::expected<Committed, StoreFault>;

  CommitResult commit(const TestDiary& diary) {
    CommitResult result = std::unexpected(StoreFault::broken);
    harness.drive([&]() -> asio::awaitable<void> {
      const JournalEntry entry = diary.entry();
      result = co_await harness.journal().commit(entry, harness.soon());
    });
    return result;
  }
  std::expected<StoredDiary, StoreFault> find(const TestDiary& diary) {
    std::expected<StoredDiary, StoreFault> result = std::unexpected(StoreFault::broken);
    harness.drive([&]() -> asio::awaitable<void> {
      result = co_await harness.journal().find(diary.trial, PatientText{diary.subject},
                                               diary.submission);
    });
    return result;
  }
  std::vector<OwedEntry> lease(std::string_view destination, Position after = 0,
                               std::size_t limit = 100) {
    std::vector<OwedEntry> result;
    harness.drive([&]() -> asio::awaitable<void> {
      auto leased = co_await harness.outbox().lease(destination, after, limit);
      EXPECT_TRUE(leased);
      if (leased) result = *leased;
    });
    return result;
  }
  void settle(std::string_view destination, Position position, DeliveryState state,
              std::string reason = "") {
    Settlement settlement;
    settlement.position = position;
    settlement.state = state;
    settlement.attempts = 1;
    settlement.http_status = state == DeliveryState::parked ? 422 : 201;
    settlement.reason = std::move(reason);
    settlement.evidence_headers = "etag: W/\"1\"";
    settlement.body_digest = content_hash("reply");
    settlement.at = WallTime{std::chrono::milliseconds{1763640846000}};
    harness.drive([&]() -> asio::awaitable<void> {
      EXPECT_TRUE(co_await harness.outbox().settle(destination, std::span(&settlement, 1)));
    });
  }
  OutboxCounts counts(std::string_view destination) {
    OutboxCounts found;
    harness.drive([&]() -> asio::awaitable<void> {
      const auto all = co_await harness.outbox().counts();
      EXPECT_TRUE(all);
      if (!all) co_return;
      const auto one = std::ranges::find(*all, destination, &OutboxCounts::destination);
      if (one != all->end()) found = *one;
    });
    return found;
  }
  static std::string receipt(const CommitResult& result) {
    std::string text;
    if (result) write_receipt(text, result->facts);
    return text;
  }
  static AuditEvent event(std::string action) {
    return {std::move(action), "local", "target", "a test",
            WallTime{std::chrono::milliseconds{1763640847000}}};
  }

  HarnessType harness;
};
TYPED_TEST_SUITE_P(JournalContract);

TYPED_TEST_P(JournalContract, WhatWasCommittedIsReadBackWhole) {
  TestDiary diary(1);
  diary.caller.subject = "nurse-4";
  diary.amends = TestDiary(77).submission;
  const auto stored = this->commit(diary);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->how, Committed::How::stored);
  EXPECT_EQ(stored->facts.position, 1u);
  const auto found = this->find(diary);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->source, diary.source);
  EXPECT_EQ(found->subject_id, diary.subject);
  EXPECT_EQ(found->trial_id, diary.trial);
  EXPECT_EQ(found->trial_revision, 3u);
  EXPECT_EQ(found->form_id, "evening-diary");
  EXPECT_EQ(found->form_version, "3");
  EXPECT_EQ(found->site, "site-7");
  EXPECT_EQ(found->app_version, "2.4.1");
  EXPECT_EQ(found->authored, "2026-11-20T20:14:05+08:00");
  EXPECT_EQ(found->issuer, "https://id.example");
  EXPECT_EQ(found->kid, "k1");
  EXPECT_EQ(found->jti, "jti-1");
  EXPECT_EQ(found->caller_subject, "nurse-4");
  EXPECT_TRUE(found->caller_scopes.has(Scope::patient));
  EXPECT_EQ(found->mapper_version, 1);
  EXPECT_EQ(found->amends, diary.amends);
  EXPECT_EQ(found->facts.content_hash, content_hash(diary.source));
  EXPECT_EQ(found->facts.position, 1u);
  ASSERT_EQ(found->delivery.size(), 1u);
  EXPECT_EQ(found->delivery[0].destination, "default");
  EXPECT_EQ(found->delivery[0].state, DeliveryState::owed);
  std::string first, second;
  write_receipt(first, stored->facts);
  write_receipt(second, found->facts);
  EXPECT_EQ(first, second);
}

TYPED_TEST_P(JournalContract, EqualPostGetsTheSameReceiptAlsoAfterARestart) {
  const TestDiary diary(1);
  const auto first = this->commit(diary);
  const auto again = this->commit(diary);
  this->harness.restart();
  const auto later = this->commit(diary);
  ASSERT_TRUE(first && again && later);
  EXPECT_EQ(again->how, Committed::How::replay);
  EXPECT_EQ(later->how, Committed::How::replay);
  EXPECT_EQ(this->receipt(first), this->receipt(again));
  EXPECT_EQ(this->receipt(first), this->receipt(later));
}

TYPED_TEST_P(JournalContract, OtherBytesUnderAKnownIdConflictAndChangeNothing) {
  const TestDiary diary(1);
  TestDiary other = diary;
  other.source = R"({"answers":{"pain-nrs":9}})";
  const auto first = this->commit(diary);
  const auto conflict = this->commit(other);
  ASSERT_TRUE(first && conflict);
  EXPECT_EQ(conflict->how, Committed::How::conflict);
  EXPECT_EQ(this->find(diary)->source, diary.source);
  EXPECT_EQ(this->commit(diary)->how, Committed::How::replay);
  EXPECT_EQ(this->lease("default").size(), 1u);
}

TYPED_TEST_P(JournalContract, EightEqualPostsAtOnceGetOneDiaryAndEqualReceipts) {
  const TestDiary diary(1);
  std::vector<std::expected<Committed, StoreFault>> results(8, std::unexpected(StoreFault::broken));
  std::vector<std::function<asio::awaitable<void>()>> bodies;
  for (auto& result : results)
    bodies.push_back([&]() -> asio::awaitable<void> {
      const JournalEntry entry = diary.entry();
      result = co_await this->harness.journal().commit(entry, this->harness.soon());
    });
  this->harness.drive_all(std::move(bodies));
  std::set<std::string> receipts;
  int stored = 0;
  for (const auto& result : results) {
    ASSERT_TRUE(result);
    if (result->how == Committed::How::stored) ++stored;
    receipts.insert(this->receipt(result));
  }
  EXPECT_EQ(stored, 1);
  EXPECT_EQ(receipts.size(), 1u);
  EXPECT_EQ(this->lease("default").size(), 1u);
}

TYPED_TEST_P(JournalContract, OneIdOfTwoPatientsIsTwoDiaries) {
  const TestDiary mine(1, "S-1"), hers(1, "S-2");
  ASSERT_EQ(mine.submission, hers.submission);
  EXPECT_EQ(this->commit(mine)->how, Committed::How::stored);
  EXPECT_EQ(this->commit(hers)->how, Committed::How::stored);
  EXPECT_EQ(this->find(mine)->subject_id, "S-1");
  EXPECT_EQ(this->find(hers)->subject_id, "S-2");
  this->harness.drive([&]() -> asio::awaitable<void> {
    auto both = co_await this->harness.journal().find_in_trial(mine.trial, mine.submission);
    EXPECT_TRUE(both && both->size() == 2);
    auto none = co_await this->harness.journal().find_in_trial("OTHER", mine.submission);
    EXPECT_TRUE(none && none->empty());
  });
}

TYPED_TEST_P(JournalContract, UnknownDiariesAreNotFound) {
  ASSERT_TRUE(this->commit(TestDiary(1)));
  EXPECT_EQ(this->find(TestDiary(2)).error(), StoreFault::not_found);
  EXPECT_EQ(this->find(TestDiary(1, "S-other")).error(), StoreFault::not_found);
  this->harness.drive([&]() -> asio::awaitable<void> {
    const Position positions[] = {1, 99};
    EXPECT_EQ((co_await this->harness.journal().at(99)).error(), StoreFault::not_found);
    EXPECT_EQ((co_await this->harness.journal().at_all(positions)).error(), StoreFault::not_found);
  });
}

TYPED_TEST_P(JournalContract, PositionsHaveNoGapsAndKeepTheOrderOfCommits) {
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const auto result = this->commit(TestDiary(100 - i));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->facts.position, i);
  }
  this->harness.drive([&]() -> asio::awaitable<void> {
    const Position positions[] = {20, 1, 7};
    auto diaries = co_await this->harness.journal().at_all(positions);
    EXPECT_TRUE(diaries && diaries->size() == 3);
    if (!diaries) co_return;
    EXPECT_EQ(diaries->at(0)->source, TestDiary(80).source);
    EXPECT_EQ(diaries->at(1)->source, TestDiary(99).source);
    EXPECT_EQ(diaries->at(2)->position, 7u);
  });
}

TYPED_TEST_P(JournalContract, LeasesComeInOrderAndEndWhenSettled) {
  for (std::uint64_t i = 1; i <= 5; ++i)
    ASSERT_TRUE(this->commit(TestDiary(i, "S-" + std::to_string(i))));
  const auto first = this->lease("default", 0, 3);
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[0].position, 1u);
  EXPECT_EQ(first[2].position, 3u);
  EXPECT_EQ(first[0].delivery_id, TestDiary(1, "S-1").entry().delivery_id);
  EXPECT_NE(first[0].lane, first[1].lane);
  EXPECT_EQ(this->find(TestDiary(2, "S-2"))->delivery[0].state, DeliveryState::leased);
  const auto rest = this->lease("default", 3, 100);
  ASSERT_EQ(rest.size(), 2u);
  this->settle("default", 2, DeliveryState::delivered);
  EXPECT_EQ(this->find(TestDiary(2, "S-2"))->delivery[0].state, DeliveryState::delivered);
  EXPECT_EQ(this->find(TestDiary(2, "S-2"))->delivery[0].attempts, 1u);
  this->settle("default", 1, DeliveryState::owed, "timeout");
  EXPECT_EQ(this->find(TestDiary(1, "S-1"))->delivery[0].state, DeliveryState::owed);
  EXPECT_EQ(this->find(TestDiary(1, "S-1"))->delivery[0].attempts, 1u);
  EXPECT_EQ(this->counts("default").owed, 4u);
  EXPECT_EQ(this->counts("default").delivered, 1u);
}

TYPED_TEST_P(JournalContract, EachDestinationIsOwedByItself) {
  TestDiary diary(1);
  diary.destinations = {"default", "second"};
  ASSERT_TRUE(this->commit(diary));
  this->settle("second", 1, DeliveryState::delivered);
  EXPECT_EQ(this->lease("default").size(), 1u);
  EXPECT_TRUE(this->lease("second").empty());
  EXPECT_TRUE(this->lease("unknown").empty());
  EXPECT_EQ(this->find(diary)->delivery.size(), 2u);
}

TYPED_TEST_P(JournalContract, HeldDiariesAreNotOwed) {
  TestDiary diary(1);
  diary.disposition = Disposition::held;
  diary.held_reason = HeldReason::form_unknown;
  diary.destinations.clear();
  ASSERT_TRUE(this->commit(diary));
  EXPECT_TRUE(this->lease("default").empty());
  EXPECT_EQ(this->find(diary)->held_reason, HeldReason::form_unknown);
  EXPECT_EQ(this->find(diary)->facts.disposition, Disposition::held);
}

TYPED_TEST_P(JournalContract, DebtsAndSettlementsSurviveARestart) {
  for (std::uint64_t i = 1; i <= 4; ++i)
    ASSERT_TRUE(this->commit(TestDiary(i, "S-" + std::to_string(i))));
  std::uint64_t epoch = 0;
  this->harness.drive([&]() -> asio::awaitable<void> {
    epoch = (co_await this->harness.outbox().begin_epoch()).value_or(0);
  });
  ASSERT_EQ(this->lease("default").size(), 4u);
  this->settle("default", 1, DeliveryState::delivered);
  this->settle("default", 2, DeliveryState::parked, "http-422");
  this->harness.restart();
  this->harness.drive([&]() -> asio::awaitable<void> {
    EXPECT_EQ((co_await this->harness.outbox().begin_epoch()).value_or(0), epoch + 1);
  });
  const auto owed = this->lease("default");
  ASSERT_EQ(owed.size(), 2u);
  EXPECT_EQ(owed[0].position, 3u);
  EXPECT_EQ(owed[1].position, 4u);
  const auto counts = this->counts("default");
  EXPECT_EQ(counts.delivered, 1u);
  EXPECT_EQ(counts.parked, 1u);
  EXPECT_EQ(counts.owed, 2u);
  EXPECT_TRUE(counts.oldest_owed);
}

TYPED_TEST_P(JournalContract, ParkedEntriesAreListedAndRedrivenOnce) {
  const TestDiary diary(1);
  ASSERT_TRUE(this->commit(diary));
  ASSERT_EQ(this->lease("default").size(), 1u);
  this->settle("default", 1, DeliveryState::parked, "http-422");
  const Uuid id = diary.entry().delivery_id;
  this->harness.drive([&]() -> asio::awaitable<void> {
    auto parked = co_await this->harness.outbox().parked("default", 0, 10);
    EXPECT_TRUE(parked && parked->size() == 1);
    if (!parked) co_return;
    EXPECT_EQ(parked->at(0).delivery_id, id);
    EXPECT_EQ(parked->at(0).reason, "http-422");
    EXPECT_EQ(parked->at(0).state, DeliveryState::parked);
    auto redriven =
        co_await this->harness.outbox().redrive("default", id, this->event("outbox.redrive"));
    EXPECT_TRUE(redriven && redriven->position == 1);
    redriven =
        co_await this->harness.outbox().redrive("default", id, this->event("outbox.redrive"));
    EXPECT_EQ(redriven.error(), StoreFault::not_found);
  });
  EXPECT_EQ(this->lease("default").size(), 1u);
  this->settle("default", 1, DeliveryState::delivered);
  EXPECT_EQ(this->counts("default").delivered, 1u);
}

TYPED_TEST_P(JournalContract, SkippedEntriesAreOwedNoMore) {
  const TestDiary diary(1);
  ASSERT_TRUE(this->commit(diary));
  ASSERT_EQ(this->lease("default").size(), 1u);
  this->settle("default", 1, DeliveryState::parked, "http-400");
  this->harness.drive([&]() -> asio::awaitable<void> {
    auto skipped = co_await this->harness.outbox().skip("default", diary.entry().delivery_id,
                                                        this->event("outbox.skip"));
    EXPECT_TRUE(skipped);
  });
  EXPECT_TRUE(this->lease("default").empty());
  EXPECT_EQ(this->counts("default").parked, 0u);
  EXPECT_EQ(this->counts("default").owed, 0u);
}

TYPED_TEST_P(JournalContract, APauseSurvivesARestart) {
  ASSERT_TRUE(this->commit(TestDiary(1)));
  this->harness.drive([&]() -> asio::awaitable<void> {
    EXPECT_TRUE(
        co_await this->harness.outbox().pause("default", true, this->event("outbox.pause")));
  });
  this->harness.restart();
  EXPECT_TRUE(this->counts("default").paused);
  this->harness.drive([&]() -> asio::awaitable<void> {
    EXPECT_TRUE(
        co_await this->harness.outbox().pause("default", false, this->event("outbox.resume")));
  });
  EXPECT_FALSE(this->counts("default").paused);
}

TYPED_TEST_P(JournalContract, TrialRevisionsAreKeptAndGapsRefused) {
  this->harness.drive([&]() -> asio::awaitable<void> {
    TrialRow row{"EVENING-01", 1,       R"({"id":"EVENING-01"})",
                 "local",      "first", WallTime{std::chrono::milliseconds{1763640845000}}};
    auto& journal = this->harness.journal();
    EXPECT_TRUE(co_await journal.publish(row));
    EXPECT_EQ((co_await journal.publish(row)).error(), StoreFault::stale);
    row.revision = 3;
    EXPECT_EQ((co_await journal.publish(row)).error(), StoreFault::stale);
    row.revision = 2;
    row.document = R"({"id":"EVENING-01","title":"2"})";
    EXPECT_TRUE(co_await journal.publish(row));
    EXPECT_TRUE(co_await journal.record(this->event("test")));
  });
  this->harness.restart();
  this->harness.drive([&]() -> asio::awaitable<void> {
    auto rows = co_await this->harness.journal().trials();
    EXPECT_TRUE(rows && rows->size() == 2);
    if (!rows) co_return;
    EXPECT_EQ(rows->at(0).revision, 1u);
    EXPECT_EQ(rows->at(1).document, R"({"id":"EVENING-01","title":"2"})");
    EXPECT_EQ(rows->at(1).reason, "first");
  });
}

REGISTER_TYPED_TEST_SUITE_P(JournalContract, WhatWasCommittedIsReadBackWhole,
                            EqualPostGetsTheSameReceiptAlsoAfterARestart,
                            OtherBytesUnderAKnownIdConflictAndChangeNothing,
                            EightEqualPostsAtOnceGetOneDiaryAndEqualReceipts,
                            OneIdOfTwoPatientsIsTwoDiaries, UnknownDiariesAreNotFound,
                            PositionsHaveNoGapsAndKeepTheOrderOfCommits,
                            LeasesComeInOrderAndEndWhenSettled, EachDestinationIsOwedByItself,
                            HeldDiariesAreNotOwed, DebtsAndSettlementsSurviveARestart,
                            ParkedEntriesAreListedAndRedrivenOnce, SkippedEntriesAreOwedNoMore,
                            APauseSurvivesARestart, TrialRevisionsAreKeptAndGapsRefused);

}  // namespace vesper::contract
