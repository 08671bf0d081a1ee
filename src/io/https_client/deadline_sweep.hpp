#pragma once
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "ports/clock.hpp"

namespace vesper {

/// What a deadline ends when it passes.
class Expiring {
 public:
  virtual ~Expiring() = default;
  virtual void expire() = 0;
};

class KeptDeadline;

/// Ends what is not done before its deadline, with one timer for all.
///   Thread: its executor's only.
///   Why: a timer a try costs more than the rest of the client: deadlines are many, of equal
///   length, and hardly ever pass. So the list is in order of time, and a new one belongs at its
///   end.
class DeadlineSweep {
 public:
  DeadlineSweep(asio::any_io_executor executor, Clock& clock);
  ~DeadlineSweep();
  DeadlineSweep(const DeadlineSweep&) = delete;

 private:
  friend KeptDeadline;
  struct State {
    State(const asio::any_io_executor& executor, Clock& c) : timer(executor), clock(c) {}
    asio::steady_timer timer;
    Clock& clock;
    KeptDeadline *first = nullptr, *last = nullptr;
    Instant armed_for = Instant::max();
    bool alive = true;
  };
  static void arm(const std::shared_ptr<State>& state);
  void add(KeptDeadline& kept);
  static void remove(State& state, KeptDeadline& kept);
  std::shared_ptr<State> state_;
};

/// Keeps a deadline for as long as it lives, or until it has passed.
class KeptDeadline {
 public:
  KeptDeadline(DeadlineSweep& sweep, Instant at, Expiring& what)
      : sweep_(sweep), at_(at), what_(what) {
    sweep.add(*this);
  }
  ~KeptDeadline() {
    if (kept_) DeadlineSweep::remove(*sweep_.state_, *this);
  }
  KeptDeadline(const KeptDeadline&) = delete;

 private:
  friend DeadlineSweep;
  DeadlineSweep& sweep_;
  const Instant at_;
  Expiring& what_;
  KeptDeadline *before_ = nullptr, *after_ = nullptr;
  bool kept_ = true;
};

}  // namespace vesper
