// The reading room: one diary, from its bytes to its receipt, a stage a line. The only branches are
// refusals. What a stage decides is in its folder under stages/; what an answer looks like is in
// flows/replies.cpp and stages/journal/receipt.cpp.
#include "flows/ingest.hpp"

#include "flows/journal_entry.hpp"
#include "flows/judgement.hpp"
#include "flows/replies.hpp"
#include "flows/submission.hpp"
#include "stages/journal/receipt.hpp"

namespace vesper {

asio::awaitable<void> Ingest::run(Exchange& exchange) {
  const Caller& caller = *exchange.caller;
  Reply& reply = exchange.reply;
  const WallTime received_at = clock_.wall();

  const auto head = read_submission_head(exchange.head);
  if (!head) co_return refuse(reply, head.error());

  const auto diary = decoder_.decode(head->media, exchange.body, exchange.arena);
  if (!diary) co_return refuse(reply, refusal_of(diary.error()));

  const auto submission_id = submission_id_of(*head, *diary);
  if (!submission_id) co_return refuse(reply, submission_id.error());

  const auto trial_id = trial_of(*head, *diary, caller);
  if (!trial_id) co_return refuse(reply, trial_id.error());

  const auto allowed = may_submit(caller, *trial_id, diary->subject_id);
  if (!allowed) co_return refuse(reply, allowed.error());

  const auto trial = find_trial(catalog_, *trial_id);
  if (!trial) co_return refuse(reply, trial.error());

  const auto judged = judge(*diary, **trial, exchange.arena);
  if (!judged) co_return refuse(reply, judged.error());

  const auto entry =
      journal_entry(*diary, *judged, **trial, {*submission_id, exchange.body, received_at, caller});
  const auto committed = co_await journal_.commit(entry, exchange.deadline);
  if (!committed) co_return refuse_for_store(reply, committed.error(), random_);
  if (committed->how == Committed::How::conflict) co_return refuse_conflict(reply);

  acknowledge(reply, committed->facts, committed->how == Committed::How::replay);
  telemetry_.observe(Histogram::ingest_seconds, clock_.now() - exchange.started);
}

}  // namespace vesper
