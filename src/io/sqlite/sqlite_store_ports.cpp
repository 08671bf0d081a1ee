// The ports' functions: each hands its work to the journal's or the reading thread and resumes the
// coroutine on its own executor.
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "io/sqlite/sqlite_store.hpp"

namespace vesper {
namespace {

template <class Result, class Handler>
void resume_later(Handler handler, Result result) {
  auto executor = asio::get_associated_executor(handler);
  asio::post(executor, [handler = std::move(handler), result = std::move(result)]() mutable {
    std::move(handler)(std::move(result));
  });
}

}  // namespace

asio::awaitable<std::expected<Committed, StoreFault>> SqliteStore::commit(const JournalEntry& entry,
                                                                          Patience patience) {
  struct Leaving final : Departure::Listener {
    Leaving(Departure* departure, CommitQueue& in, CommitQueue::Slot* at)
        : Listener(departure), queue(in), slot(at), turn(CommitQueue::turn_of(at)) {}
    void left() override { queue.give_up(slot, turn); }
    CommitQueue& queue;
    CommitQueue::Slot* slot;
    std::uint64_t turn;
  };
  if (broken_.load()) co_return std::unexpected(StoreFault::broken);
  if (stopping_.load()) co_return std::unexpected(StoreFault::stopping);
  CommitQueue::Slot* slot = queue_->acquire(entry.source.size());
  if (slot == nullptr) co_return std::unexpected(StoreFault::queue_full);
  slot->entry.assign(entry, rules_);
  Leaving leaving{patience.departure, *queue_, slot};
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(CommitQueue::Result)>(
      [this, slot, &patience](CommitQueue::Handler handler) {
        queue_->push(slot, std::move(handler), patience.deadline, clock_.now());
        if (closed_.load()) refuse_late_comers();
      },
      asio::use_awaitable);
}

template <class T>
asio::awaitable<std::expected<T, StoreFault>> SqliteStore::in_group(
    std::move_only_function<std::expected<T, StoreFault>(SqliteJournal&)> work) {
  using Result = std::expected<T, StoreFault>;
  if (broken_.load()) co_return std::unexpected(StoreFault::broken);
  if (stopping_.load()) co_return std::unexpected(StoreFault::stopping);
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result)>(
      [this, &work](auto handler) {
        auto result = std::make_shared<Result>(std::unexpected(StoreFault::broken));
        Chore chore{[result, work = std::move(work)](SqliteJournal& journal) mutable {
                      *result = work(journal);
                    },
                    [result, handler = std::move(handler)](
                        std::expected<void, StoreFault> committed) mutable {
                      if (!committed) *result = std::unexpected(committed.error());
                      resume_later<Result>(std::move(handler), std::move(*result));
                    }};
        if (!offer(chore)) chore.done(std::unexpected(StoreFault::queue_full));
      },
      asio::use_awaitable);
}

template <class T>
asio::awaitable<std::expected<T, StoreFault>> SqliteStore::read(
    std::move_only_function<std::expected<T, StoreFault>(JournalReader&)> work, Patience patience) {
  using Result = std::expected<T, StoreFault>;
  struct Leaving final : Departure::Listener {
    Leaving(Departure* departure, ReadThreads& in) : Listener(departure), readers(in) {}
    void left() override { readers.give_up(number); }
    ReadThreads& readers;
    std::uint64_t number = 0;
  };
  Leaving leaving{patience.departure, readers_};
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result)>(
      [this, &work, &patience, &leaving](auto handler) {
        ReadThreads::Read job = [work = std::move(work),
                                 handler = std::move(handler)](ReadThreads::Reader reader) mutable {
          Result result = reader ? work(**reader) : Result{std::unexpected(reader.error())};
          resume_later<Result>(std::move(handler), std::move(result));
        };
        leaving.number = readers_.offer(job, patience.deadline);
        if (leaving.number == 0) job(std::unexpected(StoreFault::stopping));
      },
      asio::use_awaitable);
}

asio::awaitable<std::expected<StoredDiary, StoreFault>> SqliteStore::find(std::string_view trial_id,
                                                                          PatientText subject_id,
                                                                          Uuid submission_id,
                                                                          Patience patience) {
  return read<StoredDiary>(
      [=](JournalReader& reader) { return reader.find(trial_id, subject_id, submission_id); },
      patience);
}

asio::awaitable<std::expected<std::vector<StoredDiary>, StoreFault>> SqliteStore::find_in_trial(
    std::string_view trial_id, Uuid submission_id, Patience patience) {
  return read<std::vector<StoredDiary>>(
      [=](JournalReader& reader) { return reader.find_in_trial(trial_id, submission_id); },
      patience);
}

asio::awaitable<std::expected<StoredDiary, StoreFault>> SqliteStore::at(Position position) {
  return read<StoredDiary>([=](JournalReader& reader) { return reader.at(position); });
}

asio::awaitable<std::expected<std::vector<SharedDiary>, StoreFault>> SqliteStore::at_all(
    std::span<const Position> positions) {
  if (auto fresh = fresh_.find(positions); fresh.size() == positions.size()) co_return fresh;
  co_return co_await read<std::vector<SharedDiary>>(
      [=](JournalReader& reader) { return reader.at_all(positions); });
}

asio::awaitable<std::expected<std::vector<TrialRow>, StoreFault>> SqliteStore::trials(
    Patience patience) {
  return read<std::vector<TrialRow>>([](JournalReader& reader) { return reader.trials(); },
                                     patience);
}

asio::awaitable<std::expected<std::vector<OutboxCounts>, StoreFault>> SqliteStore::counts(
    Patience patience) {
  return read<std::vector<OutboxCounts>>([](JournalReader& reader) { return reader.counts(); },
                                         patience);
}

asio::awaitable<std::expected<std::vector<Settlement>, StoreFault>> SqliteStore::parked(
    std::string_view destination, Position after, std::size_t limit, Patience patience) {
  return read<std::vector<Settlement>>(
      [=](JournalReader& reader) { return reader.parked(destination, after, limit); }, patience);
}

asio::awaitable<std::expected<void, StoreFault>> SqliteStore::publish(const TrialRow& row) {
  return in_group<void>([&row](SqliteJournal& journal) { return journal.publish(row); });
}

asio::awaitable<std::expected<void, StoreFault>> SqliteStore::record(const AuditEvent& event) {
  return in_group<void>([&event](SqliteJournal& journal) -> std::expected<void, StoreFault> {
    journal.record(event);
    return {};
  });
}

asio::awaitable<std::expected<std::uint64_t, StoreFault>> SqliteStore::begin_epoch() {
  return in_group<std::uint64_t>(
      [](SqliteJournal& journal) -> std::expected<std::uint64_t, StoreFault> {
        return journal.outbox().begin_epoch();
      });
}

asio::awaitable<std::expected<std::vector<OwedEntry>, StoreFault>> SqliteStore::lease(
    std::string_view destination, Position after, std::size_t limit) {
  // From memory also while the journal is busy with a group. When it is broken, nothing is told.
  if (!broken_.load() && !stopping_.load())
    if (auto told = fresh_.told(destination, after, limit)) co_return std::move(*told);
  co_return co_await in_group<std::vector<OwedEntry>>(
      [=](SqliteJournal& journal) -> std::expected<std::vector<OwedEntry>, StoreFault> {
        return journal.outbox().lease(destination, after, limit);
      });
}

asio::awaitable<std::expected<void, StoreFault>> SqliteStore::settle(
    std::string_view destination, std::span<const Settlement> settlements) {
  return in_group<void>([=](SqliteJournal& journal) -> std::expected<void, StoreFault> {
    journal.outbox().settle(destination, settlements);
    return {};
  });
}

asio::awaitable<std::expected<OwedEntry, StoreFault>> SqliteStore::redrive(
    std::string_view destination, Uuid delivery_id, const AuditEvent& event) {
  return in_group<OwedEntry>(
      [=, &event](SqliteJournal& journal) -> std::expected<OwedEntry, StoreFault> {
        auto entry = journal.outbox().redrive(destination, delivery_id);
        if (!entry) return std::unexpected(StoreFault::not_found);
        journal.record(event);
        return *entry;
      });
}

asio::awaitable<std::expected<OwedEntry, StoreFault>> SqliteStore::skip(
    std::string_view destination, Uuid delivery_id, const AuditEvent& event) {
  return in_group<OwedEntry>(
      [=, &event](SqliteJournal& journal) -> std::expected<OwedEntry, StoreFault> {
        auto entry = journal.outbox().skip(destination, delivery_id, event.at);
        if (!entry) return std::unexpected(StoreFault::not_found);
        journal.record(event);
        return *entry;
      });
}

asio::awaitable<std::expected<void, StoreFault>> SqliteStore::pause(std::string_view destination,
                                                                    bool paused,
                                                                    const AuditEvent& event) {
  return in_group<void>([=, &event](SqliteJournal& journal) -> std::expected<void, StoreFault> {
    journal.outbox().pause(destination, paused);
    journal.record(event);
    return {};
  });
}

}  // namespace vesper
