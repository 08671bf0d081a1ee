#pragma once
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

#include "stages/admission/allowance.hpp"

namespace vesper::admission {

/// What many names have used of one kind of allowance, for all threads of the process.
///   Shape:  sets of eight cells; a name's hash chooses the set. A cell at rest (a full bucket, a
///           half day gone by) says the same as none, so it is taken first when a new name comes.
///   Bounds: the cells given, 16 bytes each; pages that nobody touched cost nothing. Only where all
///           eight of a set are in use does the one that has used least forget: its name may then
///           exceed by what it had used, at most one burst or one quota. evictions() counts these.
///   Errors: names are told apart by a keyed 64-bit hash: that two of a million share an allowance
///   has a
///           chance of 3e-8.
///   Thread: any; no lock. A name that two threads bring at the very same time for the first time
///           may get two cells, of which one is then used: it may exceed by one burst, once.
class AllowanceTable {
 public:
  /// `cells` is rounded up to a power of two, at least 64.
  explicit AllowanceTable(std::size_t cells);

  /// Puts step(state) in the place of a name's state, atomically; step answers nothing to leave it.
  ///   `at_rest`: states at or below it say nothing. Returns the state that step last saw, and
  ///   whether it was replaced.
  struct Outcome {
    UsedAllowance before = 0;
    bool changed = false;
  };
  template <class Step>
  Outcome update(std::uint64_t name, UsedAllowance at_rest, Step step);
  /// The same for a name that has a cell; nothing for one that was forgotten.
  template <class Step>
  void change(std::uint64_t name, Step step);

  [[nodiscard]] std::uint64_t evictions() const {
    return evictions_.load(std::memory_order_relaxed);
  }

 private:
  struct Cell {
    std::atomic<std::uint64_t> name, word;  ///< word: 12 bits of generation, 52 of state
  };
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  static constexpr std::size_t ways = 8;
  static constexpr std::uint64_t nobody = 0, being_claimed = 1;
  static constexpr std::uint64_t generation_one = 1ull << used_allowance_bits;

  [[nodiscard]] Cell* set_of(std::uint64_t name) const {
    return &cells_[(name * 0x9e3779b97f4a7c15 >> shift_) * ways];
  }
  [[nodiscard]] Cell* find(std::uint64_t name) const;
  /// Nothing when the cell became another's meanwhile.
  template <class Step>
  static std::optional<Outcome> step_in(Cell& cell, std::uint64_t name, Step& step);
  /// Names that mark a cell are nobody's.
  [[nodiscard]] static std::uint64_t usable(std::uint64_t name) {
    return name < 2 ? name + 2 : name;
  }
  [[nodiscard]] Cell& claim(std::uint64_t name, UsedAllowance at_rest);

  std::unique_ptr<Cell[], Free> cells_;
  int shift_;
  std::atomic<std::uint64_t> evictions_{0};
};

template <class Step>
auto AllowanceTable::step_in(Cell& cell, std::uint64_t name, Step& step) -> std::optional<Outcome> {
  std::uint64_t word = cell.word.load(std::memory_order_acquire);
  // Who takes a cell over changes its generation before its name: the exchange below then fails.
  while (cell.name.load(std::memory_order_acquire) == name) {
    const UsedAllowance before = word & used_allowance_max;
    const std::optional<UsedAllowance> after = step(before);
    if (!after) return Outcome{before, false};
    const std::uint64_t next = (word & ~used_allowance_max) | *after;
    if (cell.word.compare_exchange_weak(word, next, std::memory_order_acq_rel,
                                        std::memory_order_acquire))
      return Outcome{before, true};
  }
  return {};
}

template <class Step>
auto AllowanceTable::update(std::uint64_t name, UsedAllowance at_rest, Step step) -> Outcome {
  name = usable(name);
  for (;;) {
    Cell* cell = find(name);
    if (cell == nullptr) cell = &claim(name, at_rest);
    if (const auto outcome = step_in(*cell, name, step)) return *outcome;
  }
}

template <class Step>
void AllowanceTable::change(std::uint64_t name, Step step) {
  name = usable(name);
  if (Cell* cell = find(name)) (void)step_in(*cell, name, step);
}

/// One request of a name's bucket: zero when it was taken, else how long until there is room.
[[nodiscard]] Duration take_from(AllowanceTable& buckets, std::uint64_t name,
                                 const BucketRule& rule, Instant now);
/// The future requests of a bucket, one each interval: how long until the one that this caller
/// gets.
///   Bounds: those who would come later than the horizon are told the horizon: who books so far
///           ahead would come back to no room anyway.
[[nodiscard]] Duration book_slot(AllowanceTable& buckets, std::uint64_t name,
                                 const BucketRule& rule, Instant now);

}  // namespace vesper::admission
