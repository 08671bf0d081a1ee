#pragma once
#include <atomic>
#include <cstdint>
#include <source_location>
#include <string>

#include "base/time.hpp"

namespace vesper {

/// Text that is there as long as the process: a literal.
struct StaticText {
  consteval StaticText(const char* literal) : text(literal) {}
  const char* text;
};

/// The deadline of what ends only when it is cancelled.
inline constexpr Deadline for_ever{Instant::max()};

struct TaskRecord;

/// The scope that owns tasks, as any thread may read it. Never freed before its registry.
struct ScopeRecord {
  std::string path;                                ///< `vesper/shard0/intake`
  std::string thread;                              ///< that runs its tasks
  std::atomic<const TaskRecord*>* last = nullptr;  ///< of that thread: the task that marked last
  std::atomic<std::int64_t> live{0};
  std::atomic<std::uint64_t> started{0};
};

/// One live piece of work, as any thread may read it at any time: a seqlock.
///   Shape:  texts are literals, the owner is never freed: what is read is valid, however old.
///   Bounds: one cache line.
///   Thread: one writer at a time (whoever runs the work), any number of readers.
struct alignas(64) TaskRecord {
  struct View {
    const char* name = nullptr;  ///< none: the place is free
    const char* site = nullptr;  ///< where it waits, or what it does
    const ScopeRecord* owner = nullptr;
    std::source_location created;
    std::uint32_t number = 0;
    Instant born{}, since{}, deadline = Instant::max();
  };

  void begin(const View& view);
  void end();
  /// Where it waits from now on, or what it does. A few stores to one cache line.
  void mark(StaticText where, Instant now, Instant until = Instant::max()) {
    set(where.text, now, until);
  }
  void set(const char* where, Instant now, Instant until) {
    const std::uint32_t seen = open();
    site.store(where, std::memory_order_relaxed);
    since_ns.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    deadline_ns.store(until.time_since_epoch().count(), std::memory_order_relaxed);
    close(seen);
    auto* last = owner.load(std::memory_order_relaxed)->last;
    if (last != nullptr) last->store(this, std::memory_order_relaxed);
  }
  [[nodiscard]] View read() const;

  std::atomic<std::uint32_t> version{0};  ///< odd while it changes
  std::atomic<std::uint32_t> number{0};
  std::atomic<const char*> name{nullptr};
  std::atomic<const char*> site{nullptr};
  std::atomic<const ScopeRecord*> owner{nullptr};
  std::atomic<std::source_location> created{};
  std::atomic<std::int64_t> born_ns{0}, since_ns{0}, deadline_ns{0};

 private:
  std::uint32_t open() {
    const std::uint32_t seen = version.load(std::memory_order_relaxed);
    version.store(seen + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    return seen;
  }
  void close(std::uint32_t seen) { version.store(seen + 2, std::memory_order_release); }
};
static_assert(sizeof(TaskRecord) == 64);

/// Says where a task waits for as long as this lives; then what it did before.
///   Thread: the task's. `task` may be none, and outlives this.
class Waiting {
 public:
  Waiting(TaskRecord* task, StaticText site, Instant now, Instant until = Instant::max())
      : task_(task) {
    if (task_ == nullptr) return;
    site_ = task_->site.load(std::memory_order_relaxed);
    since_ = Instant{Duration{task_->since_ns.load(std::memory_order_relaxed)}};
    until_ = Instant{Duration{task_->deadline_ns.load(std::memory_order_relaxed)}};
    task_->mark(site, now, until);
  }
  ~Waiting() {
    if (task_ != nullptr) task_->set(site_, since_, until_);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  TaskRecord* task_;
  const char* site_ = nullptr;
  Instant since_{}, until_{};
};

}  // namespace vesper
