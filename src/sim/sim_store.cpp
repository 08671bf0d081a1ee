#include "sim/sim_store.hpp"

#include <algorithm>
#include <boost/asio/use_awaitable.hpp>

#include "base/ensure.hpp"
#include "sim/resume.hpp"

namespace vesper::sim {
namespace {

StoredDiary copy_of(const JournalEntry& entry) {
  StoredDiary diary;
  diary.trial_id = entry.trial_id;
  diary.subject_id = entry.subject_id.reveal();
  diary.form_id = entry.form_id;
  diary.form_version = entry.form_version;
  diary.source = entry.source;
  diary.authored = entry.authored.reveal();
  diary.site = entry.site;
  diary.app_version = entry.app_version;
  diary.trial_revision = entry.trial_revision;
  diary.media = entry.media;
  diary.mapper_version = entry.mapper_version;
  diary.amends = entry.amends;
  diary.held_reason = entry.held_reason;
  if (entry.caller != nullptr) {
    diary.issuer = entry.caller->issuer;
    diary.kid = entry.caller->kid;
    diary.jti = entry.caller->jti;
    diary.caller_subject = entry.caller->subject;
    diary.caller_scopes = entry.caller->scopes;
  }
  diary.facts.submission_id = entry.submission_id;
  diary.facts.delivery_id = entry.delivery_id;
  diary.facts.received_at = entry.received_at;
  diary.facts.content_hash = entry.content_hash;
  diary.facts.disposition = entry.disposition;
  diary.facts.flags = entry.flags;
  return diary;
}

}  // namespace

SimStore::SimStore(World& world, Platter& platter, const DiskFaults& faults)
    : world_(&world), platter_(&platter), faults_(&faults) {}

// The process dies here. A group whose sync had begun is on the platter or not, as a whole.
SimStore::~SimStore() {
  *alive_ = false;
  if (syncing_ && !faults_->acknowledge_before_sync && world_->random().chance(0.5)) {
    world_->trace("power loss: last group survived", group_.size());
    for (auto& work : group_) work.apply();
  }
}

void SimStore::enqueue(Work work) {
  queue_.push_back(std::move(work));
  if (!syncing_) start_group();
}

Duration SimStore::group_length(std::size_t entries) const {
  if (faults_->pace_per_s <= 0) return {};
  return Duration{
      static_cast<std::int64_t>(1e9 * static_cast<double>(entries) / faults_->pace_per_s)};
}

// As CommitPace predicts it: a group that is long overdue is taken to last as long again.
JournalLoad SimStore::load() const {
  JournalLoad load;
  load.entries = queue_.size();
  load.commit = sync_usual_ + group_length(1);
  load.wait = group_length(queue_.size());
  load.rate_per_s = faults_->pace_per_s;
  if (!syncing_) return load;
  load.group_age = world_->now() - group_began_;
  const Duration expected = sync_usual_ + group_length(group_.size());
  const bool stalled = load.group_age > std::max<Duration>(500ms, 4 * expected);
  load.wait += stalled ? load.group_age : std::max<Duration>(0ns, expected - load.group_age);
  return load;
}

void SimStore::start_group() {
  syncing_ = true;
  group_began_ = world_->now();
  group_.clear();
  std::ranges::move(queue_, std::back_inserter(group_));
  queue_.clear();
  Duration length =
      group_length(group_.size()) + world_->between(faults_->sync_min, faults_->sync_max);
  if (world_->random().chance(faults_->stall_share))
    length += world_->between(0ns, faults_->stall_max);
  world_->trace("sync begins", group_.size());
  world_->after(length, [this, alive = alive_] {
    if (*alive) end_group();
  });
}

void SimStore::end_group() {
  if (faults_->held) {
    world_->after(5ms, [this, alive = alive_] {
      if (*alive) end_group();
    });
    return;
  }
  const Duration sync = world_->now() - group_began_ - group_length(group_.size());
  sync_usual_ += (std::clamp<Duration>(sync, 0ns, 100ms) - sync_usual_) / 8;
  ++platter_->groups;
  for (auto& work : group_) work.apply();
  for (auto& work : group_)
    if (work.done) work.done();
  world_->trace("sync ends", group_.size());
  owed_();
  syncing_ = false;
  if (!queue_.empty()) start_group();
}

SimStore::CommitResult SimStore::store(const StoredDiary& diary,
                                       const std::vector<std::string>& destinations) {
  const auto key = std::make_tuple(diary.trial_id, diary.subject_id, diary.facts.submission_id);
  if (const auto known = platter_->by_key.find(key); known != platter_->by_key.end()) {
    const auto& first = platter_->diaries[known->second - 1].facts;
    return Committed{first.content_hash == diary.facts.content_hash ? Committed::How::replay
                                                                    : Committed::How::conflict,
                     first};
  }
  if (faults_->full) return std::unexpected{StoreFault::disk_reserve};
  StoredDiary stored = diary;
  stored.position = stored.facts.position = platter_->diaries.size() + 1;
  stored.facts.group = platter_->groups;
  for (const auto& destination : destinations) platter_->outbox[destination][stored.position];
  platter_->by_key.emplace(key, stored.position);
  platter_->diaries.push_back(stored);
  world_->trace("stored", stored.position);
  return Committed{Committed::How::stored, stored.facts};
}

void SimStore::answer(std::uint64_t waiter, CommitResult result) {
  if (auto node = waiters_.extract(waiter)) node.mapped()(std::move(result));
}

void SimStore::give_up(std::uint64_t waiter, StoreFault why, bool keeps) {
  const auto waits = std::ranges::find(queue_, waiter, &Work::waiter);
  const bool dropped = waits != queue_.end();
  if (dropped && !faults_->store_the_departed) queue_.erase(waits);
  if (dropped || !keeps) answer(waiter, std::unexpected{why});
}

asio::awaitable<std::expected<Committed, StoreFault>> SimStore::commit(const JournalEntry& entry,
                                                                       Patience patience) {
  struct Pending {
    StoredDiary diary;
    std::vector<std::string> destinations;
    CommitResult result = std::unexpected{StoreFault::timed_out};
  };
  struct Leaving final : Departure::Listener {
    Leaving(Departure* departure, SimStore& in, std::uint64_t of)
        : Listener(departure), store(in), waiter(of) {}
    void left() override { store.give_up(waiter, StoreFault::departed, true); }
    SimStore& store;
    std::uint64_t waiter;
  };
  if (queue_.size() >= waiting_max) co_return std::unexpected{StoreFault::queue_full};
  auto pending = std::make_shared<Pending>();
  pending->diary = copy_of(entry);
  if (entry.destinations != nullptr && entry.disposition != Disposition::held)
    pending->destinations = *entry.destinations;
  const std::uint64_t waiter = ++next_waiter_;
  Leaving leaving{patience.departure, *this, waiter};
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(CommitResult)>(
      [&](auto handler) {
        waiters_.emplace(waiter, resume_by_post<CommitResult>(std::move(handler)));
        world_->at(patience.deadline.at, [this, waiter, alive = alive_] {
          if (*alive) give_up(waiter, StoreFault::timed_out, false);
        });
        enqueue(
            {[this, pending] { pending->result = store(pending->diary, pending->destinations); },
             [this, waiter, pending] { answer(waiter, pending->result); }, waiter});
        if (faults_->acknowledge_before_sync)
          answer(waiter, Committed{Committed::How::stored, pending->diary.facts});
      },
      asio::use_awaitable);
}

// Who reads is this store's, not the world's: the world outlives the node that crashes.
void SimStore::look_for_reader(std::uint64_t reader, Instant until) {
  if (!faults_->held || world_->now() >= until) {
    if (auto node = readers_.extract(reader)) node.mapped()(!faults_->held);
    return;
  }
  world_->at(std::min(until, world_->now() + 5ms), [this, alive = alive_, reader, until] {
    if (*alive) look_for_reader(reader, until);
  });
}

asio::awaitable<bool> SimStore::readable(Patience patience) {
  if (!faults_->held) co_return true;
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
      [&](auto handler) {
        const std::uint64_t reader = ++next_waiter_;
        readers_.emplace(reader, resume_by_post<bool>(std::move(handler)));
        look_for_reader(reader, patience.deadline.at);
      },
      asio::use_awaitable);
}

asio::awaitable<void> SimStore::durably(std::function<void()> apply) {
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
      [&](auto handler) {
        enqueue({std::move(apply),
                 [resume = resume_by_post<bool>(std::move(handler))]() mutable { resume(true); }});
      },
      asio::use_awaitable);
}

asio::awaitable<std::expected<StoredDiary, StoreFault>> SimStore::find(std::string_view trial_id,
                                                                       PatientText subject_id,
                                                                       Uuid submission_id,
                                                                       Patience patience) {
  if (!co_await readable(patience)) co_return std::unexpected{StoreFault::timed_out};
  const auto found = platter_->by_key.find(
      std::make_tuple(std::string{trial_id}, std::string{subject_id.reveal()}, submission_id));
  if (found == platter_->by_key.end()) co_return std::unexpected{StoreFault::not_found};
  co_return co_await at(found->second);
}

asio::awaitable<std::expected<std::vector<StoredDiary>, StoreFault>> SimStore::find_in_trial(
    std::string_view trial_id, Uuid submission_id, Patience patience) {
  if (!co_await readable(patience)) co_return std::unexpected{StoreFault::timed_out};
  std::vector<StoredDiary> found;
  for (const auto& diary : platter_->diaries)
    if (diary.trial_id == trial_id && diary.facts.submission_id == submission_id &&
        found.size() < 16)
      found.push_back(*co_await at(diary.position));
  co_return found;
}

asio::awaitable<std::expected<StoredDiary, StoreFault>> SimStore::at(Position position) {
  if (position == 0 || position > platter_->diaries.size())
    co_return std::unexpected{StoreFault::not_found};
  StoredDiary diary = platter_->diaries[position - 1];
  for (const auto& [destination, debts] : platter_->outbox)
    if (const auto debt = debts.find(position); debt != debts.end())
      diary.delivery.push_back({destination, debt->second.state, debt->second.attempts});
  co_return diary;
}

asio::awaitable<std::expected<void, StoreFault>> SimStore::publish(const TrialRow& row) {
  bool stale = false;
  co_await durably([this, row, &stale] {
    std::uint64_t latest = 0;
    for (const auto& stored : platter_->trials)
      if (stored.trial_id == row.trial_id) latest = stored.revision;
    stale = row.revision != latest + 1;
    if (!stale) platter_->trials.push_back(row);
  });
  if (stale) co_return std::unexpected{StoreFault::stale};
  co_return std::expected<void, StoreFault>{};
}

asio::awaitable<std::expected<std::vector<TrialRow>, StoreFault>> SimStore::trials(
    Patience patience) {
  if (!co_await readable(patience)) co_return std::unexpected{StoreFault::timed_out};
  co_return platter_->trials;
}

asio::awaitable<std::expected<void, StoreFault>> SimStore::record(const AuditEvent& event) {
  co_await durably([this, event] { platter_->audit.push_back(event); });
  co_return std::expected<void, StoreFault>{};
}

}  // namespace vesper::sim
