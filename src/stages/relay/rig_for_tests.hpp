#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "stages/relay/gate.hpp"

// One destination in virtual time, with more owed to it than it can ever take.
namespace vesper::relay {

/// What the destination does with a try that starts now, beside `busy` others.
struct Service {
  Duration takes = 20ms;
  TryEnd how = TryEnd::delivered;
  Duration retry_after{};
};
using Destined = std::function<Service(Instant now, std::uint32_t busy, Random& random)>;

inline constexpr Duration try_deadline = 5s;

class Evening {
 public:
  Evening(const Gate::Rule& rule, std::uint64_t seed, Destined destined)
      : gate(rule), destined_(std::move(destined)), random_(seed) {}

  /// Plays until `end`, keeping as much in flight as the gate lets through.
  void play_until(Instant end) {
    pump();
    while (now < end) {
      Instant next = std::min(end, gate.look_at());
      if (!due_.empty()) next = std::min(next, due_.begin()->first.first);
      if (const Instant start = gate.starts_at(now); start > now) next = std::min(next, start);
      now = std::max(now, next);
      while (!due_.empty() && due_.begin()->first.first <= now) finish(due_.begin());
      pump();
    }
  }
  void play_for(Duration length) { play_until(now + length); }

  [[nodiscard]] std::size_t delivered_in(Instant from, Instant to) const {
    return between(delivered, from, to);
  }
  [[nodiscard]] std::size_t started_in(Instant from, Instant to) const {
    return between(started, from, to);
  }

  Gate gate;
  Instant now{1h};
  std::vector<Instant> started, delivered;
  std::vector<Gate::Change> changes;
  std::uint32_t most_in_flight = 0, cut = 0;
  std::uint64_t firsts = 0, retries = 0;

 private:
  struct Going {
    Try tried;
    Service service;
  };
  using Due = std::map<std::pair<Instant, std::uint64_t>, Going>;

  static std::size_t between(const std::vector<Instant>& all, Instant from, Instant to) {
    return static_cast<std::size_t>(std::ranges::lower_bound(all, to) -
                                    std::ranges::lower_bound(all, from));
  }
  void pump() {
    gate.look(now);
    note();
    do start_all();
    while (cut_one());
  }
  void start_all() {
    while (gate.may_start(now)) {
      const std::uint32_t busy = gate.in_flight();
      Service service = destined_(now, busy, random_);
      if (service.takes > try_deadline) service = {try_deadline, TryEnd::overloaded, {}};
      const bool again = failed_ > 0 && gate.budget().may_retry(now);
      again ? gate.budget().retry(now) : gate.budget().first_try();
      if (again) --failed_;
      ++(again ? retries : firsts);
      const Try tried = gate.start(now, random_.unit());
      started.push_back(now);
      most_in_flight = std::max(most_in_flight, gate.in_flight());
      due_.emplace(std::pair{now + service.takes, ++sequence_}, Going{tried, service});
    }
  }
  bool cut_one() {
    const auto slot = gate.victim(now);
    if (!slot) return false;
    const auto at =
        std::ranges::find_if(due_, [&](auto& d) { return d.second.tried.slot == *slot; });
    const Try tried = at->second.tried;
    due_.erase(at);
    ++cut;
    gate.end(tried, now, TryEnd::nothing);
    return true;
  }
  void finish(Due::iterator at) {
    const Going going = at->second;
    due_.erase(at);
    if (going.service.how == TryEnd::delivered) delivered.push_back(now);
    if (going.service.retry_after > 0ns) gate.told(now, now + going.service.retry_after);
    gate.end(going.tried, now, going.service.how);
    const bool fault =
        going.service.how == TryEnd::fault || going.service.how == TryEnd::overloaded;
    if (fault && gate.at_work(going.tried)) ++failed_;
    note();
  }
  void note() {
    if (const auto change = gate.take_change()) changes.push_back(*change);
  }

  Destined destined_;
  Random random_;
  Due due_;
  std::uint64_t sequence_ = 0, failed_ = 0;
};

/// A destination that is ill from `from` to `to`, and takes `well` otherwise.
inline Destined ill_between(Instant from, Instant to, Service ill, Duration well = 20ms) {
  return [=](Instant now, std::uint32_t, Random&) {
    return now >= from && now < to ? ill : Service{.takes = well};
  };
}

}  // namespace vesper::relay
