#pragma once
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>

#include "ports/clock.hpp"

namespace vesper {

/// Calls back what is not taken out before its deadline, with one timer for all.
///   Thread: its executor's only.
///   Why: a timer a try costs more than the rest of the client: deadlines are many, of equal
///   length, and hardly ever pass.
class DeadlineSweep {
 public:
  DeadlineSweep(asio::any_io_executor executor, Clock& clock);
  ~DeadlineSweep();
  DeadlineSweep(const DeadlineSweep&) = delete;

  using Entries = std::multimap<Instant, std::function<void()>>;
  using Ticket = Entries::iterator;
  Ticket add(Instant at, std::function<void()> expired);
  void remove(Ticket ticket);

 private:
  struct State {
    State(const asio::any_io_executor& executor, Clock& c) : timer(executor), clock(c) {}
    asio::steady_timer timer;
    Clock& clock;
    Entries entries;
    Instant armed_for = Instant::max();
    bool alive = true;
  };
  static void arm(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

/// Keeps a deadline for as long as it lives.
class KeptDeadline {
 public:
  KeptDeadline(DeadlineSweep& sweep, Instant at, std::function<void()> expired)
      : sweep_(sweep), done_(std::make_shared<bool>(false)) {
    ticket_ = sweep.add(at, [done = done_, expired = std::move(expired)] {
      *done = true;
      expired();
    });
  }
  ~KeptDeadline() {
    if (!*done_) sweep_.remove(ticket_);
  }
  KeptDeadline(const KeptDeadline&) = delete;

 private:
  DeadlineSweep& sweep_;
  std::shared_ptr<bool> done_;
  DeadlineSweep::Ticket ticket_;
};

}  // namespace vesper
