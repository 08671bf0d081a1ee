#include "io/sqlite/sqlite_store.hpp"

#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <condition_variable>

#include "base/ensure.hpp"

namespace vesper {
namespace {

constexpr Duration group_stall = 3s;  ///< a group that takes longer is told as stalled

std::int64_t ns_of(Instant instant) {
  return instant.time_since_epoch().count();
}

void sleep_out(Duration length) {
  if (length <= 0ns) return;
  const timespec time{length.count() / 1'000'000'000, length.count() % 1'000'000'000};
  nanosleep(&time, nullptr);
}

}  // namespace

std::expected<std::unique_ptr<SqliteStore>, OpenFailure> SqliteStore::open(
    const SqliteOptions& options, const JournalRules& rules, Clock& clock, Entropy& entropy,
    Telemetry& telemetry, Fatal on_fatal, const TaskScope& scope) {
  auto journal = SqliteJournal::open(options, rules, clock, entropy);
  if (!journal) return std::unexpected(journal.error());
  try {
    std::vector<std::unique_ptr<JournalReader>> readers;
    for (std::uint32_t i = 0; i < std::max(1u, options.read_threads); ++i)
      readers.push_back(std::make_unique<JournalReader>(
          options, rules, (*journal)->keys(), (*journal)->outbox().leases(),
          (*journal)->receipt_keys(), (*journal)->chain_id()));
    return std::unique_ptr<SqliteStore>(new SqliteStore(options, rules, clock, telemetry,
                                                        std::move(on_fatal), std::move(*journal),
                                                        std::move(readers), scope));
  } catch (const SqliteError& error) {
    return std::unexpected(OpenFailure{OpenFault::cannot_read, error.what()});
  }
}

SqliteStore::SqliteStore(const SqliteOptions& options, const JournalRules& rules, Clock& clock,
                         Telemetry& telemetry, Fatal on_fatal,
                         std::unique_ptr<SqliteJournal> journal,
                         std::vector<std::unique_ptr<JournalReader>> readers,
                         const TaskScope& scope)
    : options_(options),
      rules_(rules),
      clock_(clock),
      telemetry_(telemetry),
      on_fatal_(std::move(on_fatal)),
      scope_(scope),
      journal_(std::move(journal)),
      queue_(std::make_shared<CommitQueue>(options.queue_entries_max, options.queue_bytes_max)),
      readers_(std::move(readers), clock, scope),
      fresh_(journal_->outbox().fresh()) {
  look_at_disk(clock_.now());
  show_link();
  sweep_thread_ = TaskThread{
      scope, "deadlines", "vesper-due",
      [this](const std::stop_token& stopping, TaskRecord* task) { run_sweep(stopping, task); }};
  journal_thread_ =
      TaskThread{scope.on_thread("commit"), "thread", "vesper-journal",
                 [this](const std::stop_token&, TaskRecord* task) { run_journal(task); }};
}

SqliteStore::~SqliteStore() {
  stop();
}

void SqliteStore::stop() {
  const std::lock_guard lock(stop_mutex_);
  if (!journal_thread_.joinable()) return;
  stopping_ = true;
  queue_->wake();
  journal_thread_.join();
  closed_ = true;
  refuse_late_comers();
  sweep_thread_.request_stop();
  sweep_thread_.join();
  readers_.stop();
}

// Whoever offered work while the journal's thread ended either sees `closed_` and comes here, or
// did so before it was set and is found here by stop().
void SqliteStore::refuse_late_comers() {
  std::vector<Chore> chores;
  {
    const std::lock_guard lock(chores_mutex_);
    chores.swap(chores_offered_);
    std::vector<CommitQueue::Slot*> late, claimed;
    queue_->take(late);
    for (CommitQueue::Slot* slot : late) {
      if (!queue_->claim(slot, clock_.now())) continue;
      slot->result = std::unexpected(StoreFault::stopping);
      claimed.push_back(slot);
    }
    queue_->answer(claimed);
  }
  for (Chore& chore : chores) chore.done(std::unexpected(StoreFault::stopping));
}

JournalHealth SqliteStore::health() const {
  const std::int64_t began = group_began_ns_.load();
  return {queue_->entries(), began == 0 ? Duration::zero() : Duration{ns_of(clock_.now()) - began},
          reserve_.load(), broken_.load()};
}

JournalLoad SqliteStore::load() const {
  // A journal that is kept from running waits as well, and its groups know nothing of it.
  constexpr Duration usual = 10ms;
  const Instant now = clock_.now();
  JournalLoad load = pace_.predict(queue_->entries(), options_.group_entries_max, now);
  load.wait = std::max(load.wait, queue_->oldest(now) - usual);
  return load;
}

// An entry's wait is not measured one by one: report_group() estimates it for all.
std::vector<std::pair<std::string, QueueFigures>> SqliteStore::queues() const {
  QueueFigures entries = queue_->entry_figures();
  entries.blocked = Duration{waited_ns_.load(std::memory_order_relaxed)};
  return {{"journal.entries", entries},
          {"journal.bytes", queue_->byte_figures()},
          {"journal.reads", readers_.figures()}};
}

bool SqliteStore::offer(Chore& chore) {
  constexpr std::size_t chores_max = 4096;
  {
    const std::lock_guard lock(chores_mutex_);
    if (chores_offered_.size() >= chores_max) return false;
    chores_offered_.push_back(std::move(chore));
    has_chores_ = true;
  }
  queue_->wake();
  if (closed_.load()) refuse_late_comers();
  return true;
}

void SqliteStore::run_journal(TaskRecord* task) {
  (void)prctl(PR_SET_TIMERSLACK, 1);
  // A batch thread does not preempt a shard when it is woken: on a busy core the shard first takes
  // in what is there, and the group is larger. On an idle core nothing changes.
  const sched_param no_priority{};
  (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &no_priority);
  for (;;) {
    const bool stopping = stopping_.load();
    if (busy_ && !stopping && options_.group_wait > 0ns) wait_for_company();
    queue_->take(waiting_);
    if (waiting_at_ < waiting_.size() || has_chores_.load()) {
      const Waiting waiting{task, "group", clock_.now(), clock_.now() + group_stall};
      run_group();
      idle_done_ = false;
      continue;
    }
    waiting_.clear();
    waiting_at_ = 0;
    if (stopping) break;
    constexpr int idle_ms = 250;
    if (task != nullptr) task->mark("queue.wait", clock_.now());
    queue_->wait(idle_ms);
    // Also without traffic: readyz must see that there is room again, or none will ever come.
    look_at_disk(clock_.now());
    if (queue_->entries() != 0 || has_chores_.load() || idle_done_) continue;
    if (!journal_->broken() && !journal_->checkpoint(true)) break_down();
    idle_done_ = true;
  }
  journal_->settle_down();
}

// Before anybody is answered: to those who wait a slow disk is a long commit.
void SqliteStore::keep_pace(Instant began) {
  const auto entries = static_cast<std::int64_t>(group_.size());
  // A sleep ends late at times: what the last one lost is given back, or the pace would be less.
  constexpr Duration given_back = 10ms;
  paced_until_ =
      std::max(paced_until_, began - given_back) + Duration{1s} * entries / options_.pace_per_s;
  sleep_out(paced_until_ - clock_.now());
}

void SqliteStore::wait_for_company() {
  if (waiting_.size() - waiting_at_ >= options_.group_entries_max) return;
  sleep_out(options_.group_wait);
}

// Takes from the front of what waits: at most so many entries and bytes, none that came too late.
void SqliteStore::choose_entries(Instant now) {
  group_.clear();
  entries_.clear();
  std::size_t bytes = 0;
  while (waiting_at_ < waiting_.size() && group_.size() < options_.group_entries_max &&
         bytes < options_.group_bytes_max) {
    CommitQueue::Slot* slot = waiting_[waiting_at_++];
    if (!queue_->claim(slot, now)) continue;
    bytes += slot->entry.size();
    group_.push_back(slot);
    entries_.push_back(&slot->entry);
  }
  if (waiting_at_ == waiting_.size()) {
    waiting_.clear();
    waiting_at_ = 0;
  } else if (waiting_at_ > 4096) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(waiting_at_));
    waiting_at_ = 0;
  }
  results_.assign(group_.size(), std::unexpected(StoreFault::broken));
}

void SqliteStore::run_group() {
  const Instant began = clock_.now();
  group_began_ns_ = ns_of(began);
  look_at_disk(began);
  choose_entries(began);
  queue_->set_oldest(waiting_at_ < waiting_.size() ? waiting_[waiting_at_] : nullptr);
  pace_.begin(group_.size(), began);
  chores_.clear();
  if (has_chores_.load()) {
    const std::lock_guard lock(chores_mutex_);
    chores_.swap(chores_offered_);
    has_chores_ = false;
  }
  tasks_.clear();
  for (Chore& chore : chores_) tasks_.push_back(std::move(chore.apply));
  busy_ = entries_.size() + tasks_.size() >= options_.busy_group_entries;
  const auto committed = journal_->commit_group(entries_, tasks_, results_);
  for (std::size_t i = 0; i < group_.size(); ++i) group_[i]->result = std::move(results_[i]);
  if (options_.pace_per_s != 0) keep_pace(began);
  report_group(began);
  if (committed) show_link();
  queue_->answer(group_);
  for (Chore& chore : chores_) chore.done(committed);
  if (committed && journal_->group_owes()) owed_();
  if (journal_->broken())
    break_down();
  else if (!journal_->checkpoint(false))
    break_down();
  group_began_ns_ = 0;
  pace_.end(group_.size(), began, clock_.now());
}

void SqliteStore::report_group(Instant began) {
  const Duration took = clock_.now() - began;
  telemetry_.observe(Histogram::commit_seconds, took);
  // Those that wait now came one after the other while the group was written.
  waited_ns_.fetch_add(took.count() / 2 * static_cast<std::int64_t>(queue_->entries()),
                       std::memory_order_relaxed);
  telemetry_.count(Counter::journal_groups);
  telemetry_.count(Counter::journal_group_entries, group_.size());
  std::uint64_t stored = 0, replayed = 0, conflicting = 0;
  for (const CommitQueue::Slot* slot : group_) {
    if (!slot->result) continue;
    switch (slot->result->how) {
      case Committed::How::stored:
        ++stored;
        break;
      case Committed::How::replay:
        ++replayed;
        break;
      case Committed::How::conflict:
        ++conflicting;
        break;
    }
  }
  if (stored != 0) telemetry_.count(Counter::diaries_committed, stored);
  if (replayed != 0) telemetry_.count(Counter::diaries_replayed, replayed);
  if (conflicting != 0) telemetry_.count(Counter::diaries_conflicting, conflicting);
  telemetry_.set(Gauge::journal_queue, static_cast<std::int64_t>(queue_->entries()));
}

void SqliteStore::show_link() {
  auto proof = journal_->newest_proof();
  const std::lock_guard lock(link_mutex_);
  newest_proof_ = std::move(proof);
  newest_link_ = journal_->link();
}

std::optional<SignedLink> SqliteStore::newest_link() const {
  const std::lock_guard lock(link_mutex_);
  if (newest_proof_ == nullptr) return std::nullopt;
  const GroupProof& proof = *newest_proof_;
  return SignedLink{.statement = {journal_->chain_id(), proof.seal.number, newest_link_},
                    .committed_at = proof.seal.committed_at,
                    .kid = proof.key->kid,
                    .algorithm = proof.key->algorithm,
                    .signature = proof.signature};
}

std::vector<ReceiptKeyFacts> SqliteStore::receipt_keys() const {
  std::vector<ReceiptKeyFacts> keys;
  for (const auto& key : journal_->receipt_keys().all()) keys.push_back(*key);
  return keys;
}

void SqliteStore::break_down() {
  if (broken_.exchange(true)) return;
  if (on_fatal_) on_fatal_(journal_->trouble());
}

void SqliteStore::look_at_disk(Instant now) {
  constexpr Duration interval = 100ms;
  if (!options_.vfs.empty() || (disk_seen_ != Instant{} && now - disk_seen_ < interval)) return;
  disk_seen_ = now;
  const DiskSpace space = disk_space(options_.path);
  const auto share = static_cast<std::uint64_t>(static_cast<double>(space.total_bytes) *
                                                options_.reserve_percent / 100);
  const bool reached =
      space.total_bytes != 0 && space.free_bytes < std::max(options_.reserve_bytes, share);
  journal_->set_disk_reserve(reached);
  reserve_ = reached;
  telemetry_.set(Gauge::disk_free_bytes, static_cast<std::int64_t>(space.free_bytes));
  telemetry_.set(Gauge::journal_bytes, static_cast<std::int64_t>(file_bytes(options_.path)));
  telemetry_.set(Gauge::journal_wal_bytes,
                 static_cast<std::int64_t>(file_bytes(options_.path + "-wal")));
}

void SqliteStore::run_sweep(const std::stop_token& stopping, TaskRecord* task) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  if (task != nullptr) task->mark("clock.sleep", clock_.now());
  while (!stopping.stop_requested()) {
    never.wait_for(lock, stopping, options_.sweep_interval, [] { return false; });
    queue_->sweep(clock_.now());
    readers_.sweep(clock_.now());
  }
}

}  // namespace vesper
