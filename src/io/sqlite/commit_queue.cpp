#include "io/sqlite/commit_queue.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include "base/ensure.hpp"

namespace vesper {
namespace {

constexpr std::uint64_t state_bits = 8;

void resume(CommitQueue::Handler handler, CommitQueue::Result result,
            const asio::any_io_executor& here) {
  auto executor = asio::get_associated_executor(handler);
  if (executor == here) return std::move(handler)(std::move(result));
  asio::dispatch(executor, [handler = std::move(handler), result = std::move(result)]() mutable {
    std::move(handler)(std::move(result));
  });
}

}  // namespace

CommitQueue::CommitQueue(std::size_t entries_max, std::size_t bytes_max)
    : bytes_max_(bytes_max), slots_(entries_max), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ensure(event_ >= 0);
  for (std::size_t i = 0; i < slots_.size(); ++i)
    slots_[i].next_free = i + 1 < slots_.size() ? static_cast<std::uint32_t>(i + 2) : 0;
  free_head_ = slots_.empty() ? 0 : 1;
}

CommitQueue::~CommitQueue() {
  close(event_);
}

bool CommitQueue::move(Slot& slot, State from, State to) {
  std::uint64_t seen = slot.state.load();
  if ((seen & 0xff) != from) return false;
  return slot.state.compare_exchange_strong(seen, (seen & ~std::uint64_t{0xff}) | to);
}

CommitQueue::Slot* CommitQueue::acquire(std::size_t source_bytes) {
  if (bytes_.load(std::memory_order_relaxed) + source_bytes > bytes_max_) return nullptr;
  std::uint64_t head = free_head_.load();
  for (;;) {
    const auto index = static_cast<std::uint32_t>(head);
    if (index == 0) return nullptr;
    const std::uint64_t next = slots_[index - 1].next_free.load();
    if (!free_head_.compare_exchange_weak(head, ((head >> 32) + 1) << 32 | next)) continue;
    std::uint32_t used = used_max_.load();
    while (used < index && !used_max_.compare_exchange_weak(used, index)) {
    }
    return &slots_[index - 1];
  }
}

void CommitQueue::release(Slot* slot) {
  if (slot->holders.fetch_sub(1) != 1) return;
  const std::uint64_t turn = slot->state.load() >> state_bits;
  slot->state.store((turn + 1) << state_bits | free_slot);
  const auto index = static_cast<std::uint32_t>(slot - slots_.data()) + 1;
  std::uint64_t head = free_head_.load();
  do {
    slot->next_free.store(static_cast<std::uint32_t>(head));
  } while (!free_head_.compare_exchange_weak(head, ((head >> 32) + 1) << 32 | index));
}

Duration CommitQueue::oldest(Instant now) const {
  const std::int64_t at = oldest_ns_.load(std::memory_order_relaxed);
  if (at == 0 || entries() == 0) return {};
  return std::max(Duration{now.time_since_epoch().count() - at}, Duration::zero());
}

void CommitQueue::push(Slot* slot, Handler handler, Deadline deadline, Instant now) {
  slot->queued_ns = now.time_since_epoch().count();
  std::int64_t nobody = 0;
  if (oldest_ns_.load(std::memory_order_relaxed) == 0)
    oldest_ns_.compare_exchange_strong(nobody, slot->queued_ns, std::memory_order_relaxed);
  slot->executor = asio::get_associated_executor(handler);
  slot->handler.emplace(std::move(handler));
  slot->holders.store(2);
  slot->deadline_ns.store(deadline.at.time_since_epoch().count());
  const std::size_t size = slot->entry.size();
  entries_most_.raise(entries_.fetch_add(1, std::memory_order_relaxed) + 1);
  bytes_most_.raise(bytes_.fetch_add(size, std::memory_order_relaxed) + size);
  slot->state.store((slot->state.load() & ~std::uint64_t{0xff}) | queued);
  Slot* head = pushed_.load();
  do {
    slot->next = head;
  } while (!pushed_.compare_exchange_weak(head, slot));
  if (sleeping_.load() && sleeping_.exchange(false)) wake();
}

void CommitQueue::take(std::vector<Slot*>& waiting) {
  const std::size_t before = waiting.size();
  for (Slot* slot = pushed_.exchange(nullptr); slot != nullptr; slot = slot->next)
    waiting.push_back(slot);
  std::reverse(waiting.begin() + static_cast<std::ptrdiff_t>(before), waiting.end());
}

bool CommitQueue::claim(Slot* slot, Instant now) {
  entries_.fetch_sub(1, std::memory_order_relaxed);
  bytes_.fetch_sub(slot->entry.size(), std::memory_order_relaxed);
  const bool late = slot->deadline_ns.load() <= now.time_since_epoch().count();
  if (!late && move(*slot, queued, claimed)) return true;
  if (late && move(*slot, queued, abandoned)) let_go(slot, StoreFault::timed_out);
  release(slot);
  return false;
}

void CommitQueue::give_up(Slot* slot, std::uint64_t turn) {
  std::uint64_t seen = turn << state_bits | queued;
  if (slot->state.compare_exchange_strong(seen, turn << state_bits | abandoned))
    let_go(slot, StoreFault::departed);
}

void CommitQueue::let_go(Slot* slot, StoreFault why) {
  asio::post(slot->executor, [self = shared_from_this(), slot, why] {
    Handler handler = std::move(*slot->handler);
    slot->handler.reset();
    const asio::any_io_executor here = slot->executor;
    self->release(slot);
    resume(std::move(handler), std::unexpected(why), here);
  });
}

void CommitQueue::sweep(Instant now) {
  if (entries() == 0 && pushed_.load() == nullptr && used_max_.load() == 0) return;
  const std::int64_t now_ns = now.time_since_epoch().count();
  const std::uint32_t end = used_max_.load();
  for (std::uint32_t i = 0; i < end; ++i) {
    Slot& slot = slots_[i];
    std::uint64_t seen = slot.state.load();
    const auto state = static_cast<State>(seen & 0xff);
    if ((state != queued && state != claimed) || slot.deadline_ns.load() > now_ns) continue;
    const State next = state == queued ? abandoned : answered;
    // The turn in `seen` makes this fail when the slot has been freed and used again meanwhile.
    if (slot.state.compare_exchange_strong(seen, (seen & ~std::uint64_t{0xff}) | next))
      let_go(&slot, StoreFault::timed_out);
  }
}

void CommitQueue::answer(std::span<Slot* const> slots) {
  // Lists by context; a server has one a core, so the search is short.
  struct List {
    asio::execution_context* context;
    Slot* first;
  };
  std::vector<List> lists;
  for (auto it = slots.rbegin(); it != slots.rend(); ++it) {
    Slot* slot = *it;
    if (!move(*slot, claimed, answered)) {
      release(slot);
      continue;
    }
    auto* context = &asio::query(slot->executor, asio::execution::context);
    auto list = std::ranges::find(lists, context, &List::context);
    if (list == lists.end()) list = lists.insert(lists.end(), List{context, nullptr});
    slot->next = list->first;
    list->first = slot;
  }
  for (const List& list : lists)
    asio::post(list.first->executor,
               [self = shared_from_this(), first = list.first] { self->run_answers(first); });
}

void CommitQueue::run_answers(Slot* first) {
  const asio::any_io_executor here = first->executor;
  for (Slot *slot = first, *next = nullptr; slot != nullptr; slot = next) {
    next = slot->next;
    Handler handler = std::move(*slot->handler);
    slot->handler.reset();
    Result result = std::move(slot->result);
    release(slot);
    release(slot);
    resume(std::move(handler), std::move(result), here);
  }
}

void CommitQueue::wait(int timeout_ms) {
  sleeping_.store(true);
  if (pushed_.load() == nullptr) {
    pollfd waiting{event_, POLLIN, 0};
    poll(&waiting, 1, timeout_ms);
  }
  sleeping_.store(false);
  std::uint64_t drained = 0;
  [[maybe_unused]] const auto got = read(event_, &drained, sizeof drained);
}

void CommitQueue::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(event_, &one, sizeof one);
}

}  // namespace vesper
