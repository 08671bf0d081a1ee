// The reading room: one diary, from its bytes to its receipt, a stage a line. The only branches are
// refusals. What a stage decides is in its folder under stages/; what an answer looks like is in
// flows/replies.cpp and stages/journal/receipt.cpp.
#include "flows/ingest.hpp"

#include "flows/journal_entry.hpp"
#include "flows/judgement.hpp"
#include "flows/replies.hpp"
#include "flows/routes.hpp"
#include "flows/submission.hpp"
#include "stages/journal/receipt.hpp"
#include "stages/journal/sha256.hpp"

namespace vesper {

void Ingest::refuse_at(Counter stage, Reply& reply, const Refusal& refusal) {
  telemetry_.count(stage);
  refuse(reply, refusal);
}

void Ingest::refuse_at_journal(Exchange& exchange, StoreFault fault) {
  telemetry_.count(Counter::refused_at_journal);
  gate_.give_back(exchange);
  refuse_for_store(exchange.reply, fault, random_);
}

asio::awaitable<void> Ingest::run(Exchange& exchange) {
  const Caller& caller = *exchange.caller;
  Reply& reply = exchange.reply;
  const WallTime received_at = clock_.wall();

  const auto head = read_submission_head(exchange.head);
  if (!head) co_return refuse_at(Counter::refused_at_head, reply, head.error());

  const auto diary = decoder_.decode(head->media, exchange.body, exchange.arena);
  if (!diary)
    co_return refuse_at(Counter::refused_at_decode, reply, refusal_of(diary.error(), *head));

  const auto submission_id = submission_id_of(*head, *diary);
  if (!submission_id) co_return refuse_at(Counter::refused_at_head, reply, submission_id.error());

  const auto trial_id = trial_of(*head, *diary, caller);
  if (!trial_id) co_return refuse_at(Counter::refused_at_access, reply, trial_id.error());

  const auto allowed = may_submit(caller, *trial_id, diary->subject_id);
  if (!allowed) co_return refuse_at(Counter::refused_at_access, reply, allowed.error());

  if (gate_.refuse_rate(exchange, intake_routes()[exchange.route], *trial_id)) co_return;

  const auto trial = find_trial(catalog_, *trial_id);
  if (!trial) co_return refuse_at(Counter::refused_at_catalog, reply, trial.error());

  const auto judged = judge(*diary, **trial, exchange.arena);
  if (!judged)
    co_return co_await refuse_unless_known(exchange, *diary, *submission_id, judged.error(),
                                           **trial);

  const auto entry =
      journal_entry(*diary, *judged, **trial, {*submission_id, exchange.body, received_at, caller});
  const Patience patience{exchange.deadline, &exchange.departure};
  const Waiting waiting{exchange.task, "journal.commit", exchange.started, exchange.deadline.at};
  const auto committed = co_await journal_.commit(entry, patience);
  if (!committed) co_return refuse_at_journal(exchange, committed.error());
  if (committed->how == Committed::How::conflict) co_return refuse_conflict(reply);

  const bool replayed = committed->how == Committed::How::replay;
  if (replayed) gate_.give_back(exchange);
  acknowledge(reply, committed->facts, replayed);
  if (committed->facts.disposition == Disposition::held && !replayed)
    telemetry_.count(Counter::diaries_held);
  telemetry_.observe(Histogram::ingest_seconds, clock_.now() - exchange.started);
}

// A form published later must not take back a 201: the same bytes get the same receipt for ever.
asio::awaitable<void> Ingest::refuse_unless_known(Exchange& exchange, const Diary& diary,
                                                  Uuid submission_id, const Refusal& refusal,
                                                  const Trial& trial) {
  const auto known = co_await journal_.find(trial.id, diary.subject_id, submission_id,
                                            {exchange.deadline, &exchange.departure});
  if (!known && known.error() != StoreFault::not_found)
    co_return refuse_at_journal(exchange, known.error());
  if (known && known->facts.content_hash == content_hash(exchange.body)) {
    gate_.give_back(exchange);
    co_return acknowledge(exchange.reply, known->facts, true);
  }
  refuse_at(Counter::refused_at_form, exchange.reply, refusal);
}

}  // namespace vesper
