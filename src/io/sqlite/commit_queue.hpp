#pragma once
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/queue_figures.hpp"
#include "io/sqlite/prepared_entry.hpp"
#include "ports/journal_store.hpp"

namespace vesper {

/// Entries on their way from the shards to the journal's thread, and their answers back.
///   Shape:  slot: free -> queued -> claimed -> answered -> free. Whoever moves it to `answered`
///           resumes the coroutine: the journal after COMMIT, or the sweep when the deadline passed
///           (queued -> abandoned: never stored; claimed -> answered: may be stored all the same).
///           A slot is freed when both sides have let go of it, so an answer that comes early never
///           frees what the journal still reads.
///   Bounds: a fixed number of slots and of bytes.
///   Thread: offer() any; take(), answer() the journal's; sweep() one other. No locks: a push is
///           one compare-and-swap, an idle journal is woken by an eventfd.
class CommitQueue : public std::enable_shared_from_this<CommitQueue> {
 public:
  using Result = std::expected<Committed, StoreFault>;
  using Handler = asio::async_result<asio::use_awaitable_t<>, void(Result)>::handler_type;

  struct Slot {
    std::atomic<std::uint64_t> state{0};  ///< turn in the high bits, State in the low eight
    std::atomic<std::int64_t> deadline_ns{0};
    std::int64_t queued_ns = 0;
    std::atomic<int> holders{0};
    std::atomic<std::uint32_t> next_free{0};
    Slot* next = nullptr;  ///< in the queue, in a group's answer list
    PreparedEntry entry;
    Result result;
    std::optional<Handler> handler;
    asio::any_io_executor executor;
  };

  CommitQueue(std::size_t entries_max, std::size_t bytes_max);
  ~CommitQueue();
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;

  /// A slot whose entry is to be filled, then push()ed. nullptr: full.
  [[nodiscard]] Slot* acquire(std::size_t source_bytes);
  void push(Slot* slot, Handler handler, Deadline deadline, Instant now);

  /// Moves what was pushed to the end of `waiting`, in the order of the pushes.
  void take(std::vector<Slot*>& waiting);
  /// False: it was abandoned before, or its deadline has passed now; it is let go.
  [[nodiscard]] bool claim(Slot* slot, Instant now);
  /// Resumes the coroutines of claimed slots with their `result`: one post a context.
  void answer(std::span<Slot* const> slots);
  /// Names what is in the slot, between acquire() and its end.
  [[nodiscard]] static std::uint64_t turn_of(const Slot* slot) { return slot->state.load() >> 8; }
  /// Answers departed to one that is in no group yet; nothing when it is, or is over.
  void give_up(Slot* slot, std::uint64_t turn);
  /// Answers timed_out to all whose deadline has passed.
  void sweep(Instant now);

  /// Blocks the journal's thread until something is pushed, wake() is called or time is up.
  void wait(int timeout_ms);
  void wake();
  /// When the first of those came that wait; nullptr: nobody waits. The journal's.
  void set_oldest(const Slot* first) {
    oldest_ns_.store(first == nullptr ? 0 : first->queued_ns, std::memory_order_relaxed);
  }
  /// How long the first of them has waited; roughly, and zero when nobody waits.
  [[nodiscard]] Duration oldest(Instant now) const;
  [[nodiscard]] std::size_t entries() const { return entries_.load(std::memory_order_relaxed); }
  [[nodiscard]] QueueFigures entry_figures() const {
    return {entries(), slots_.size(), entries_most_.value(), {}};
  }
  [[nodiscard]] QueueFigures byte_figures() const {
    return {bytes_.load(std::memory_order_relaxed), bytes_max_, bytes_most_.value(), {}};
  }

 private:
  enum State : std::uint8_t { free_slot, queued, claimed, abandoned, answered };
  [[nodiscard]] static bool move(Slot& slot, State from, State to);
  void release(Slot* slot);
  void let_go(Slot* slot, StoreFault why);
  void run_answers(Slot* first);

  const std::size_t bytes_max_;
  std::vector<Slot> slots_;
  std::atomic<std::uint64_t> free_head_{0};  ///< tag in the high half, index + 1 in the low half
  std::atomic<std::uint32_t> used_max_{0};   ///< slots above were never used: the sweep's end
  std::atomic<Slot*> pushed_{nullptr};       ///< newest first
  std::atomic<bool> sleeping_{false};
  std::atomic<std::size_t> entries_{0}, bytes_{0};
  HighWater entries_most_, bytes_most_;
  std::atomic<std::int64_t> oldest_ns_{0};
  int event_ = -1;
};

}  // namespace vesper
