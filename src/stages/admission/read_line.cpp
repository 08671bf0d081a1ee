#include "stages/admission/read_line.hpp"

#include "base/ensure.hpp"

namespace vesper::admission {

void ReadLine::List::push_back(ReadPlace& place) {
  place.before = last;
  place.after = nullptr;
  (last == nullptr ? first : last->after) = &place;
  last = &place;
  ++count;
}

void ReadLine::List::take(ReadPlace& place) {
  (place.before == nullptr ? first : place.before->after) = place.after;
  (place.after == nullptr ? last : place.after->before) = place.before;
  --count;
}

std::size_t ReadLine::turns_max(Instant now) {
  const Duration each = std::max<Duration>(service(), 1us);
  // Who comes last must still be in time when it goes worse than measured.
  const Duration planned = delay_.limit(now) * 3 / 5;
  // A burst is served even when what it costs was measured in a bad moment.
  const std::size_t least = delay_.overloaded(now) ? rules_.turns_least : rules_.turns_in_burst;
  return std::max(least, static_cast<std::size_t>(planned / each));
}

void ReadLine::enter(ReadPlace& place, Instant since, Instant now) {
  ensure(place.where == ReadPlace::Where::nowhere);
  place.since = since;
  const bool room = !rules_.enabled || turns_.count < turns_max(now);
  place.where = room ? ReadPlace::Where::turn : ReadPlace::Where::surplus;
  (room ? turns_ : surplus_).push_back(place);
}

void ReadLine::leave(ReadPlace& place) {
  if (place.where == ReadPlace::Where::nowhere) return;
  (place.where == ReadPlace::Where::turn ? turns_ : surplus_).take(place);
  place.where = ReadPlace::Where::nowhere;
}

auto ReadLine::take(ReadPlace& place, As as) -> Next {
  leave(place);
  return {&place, as};
}

// Earned by what those with a turn take, so that the surplus has its share whatever else costs
// time.
void ReadLine::credit(Duration took) {
  const double ratio = rules_.refusal_share / (1 - rules_.refusal_share);
  const auto earned = static_cast<double>(took.count()) * ratio;
  budget_ = std::min(budget_ + Duration{static_cast<std::int64_t>(earned)}, budget_max);
}

// Who waited too long is in the way of those who can still be served in time.
void ReadLine::pass_on_the_late(Instant now) {
  const Duration limit = delay_.limit(now);
  while (turns_.first != nullptr && now - turns_.first->since > limit) {
    ReadPlace& place = *turns_.first;
    delay_.observe(now - place.since, now);
    turns_.take(place);
    place.where = ReadPlace::Where::surplus;
    surplus_.push_back(place);
  }
}

// Oldest first tells everybody in time; where that cannot be done any more, newest first tells at
// least some.
auto ReadLine::take_surplus(Instant now) -> Next {
  ReadPlace& oldest = *surplus_.first;
  const Duration age = now - oldest.since;
  if (turns_.first == nullptr && age <= delay_.limit(now)) {
    delay_.observe(age, now);
    return take(oldest, As::turn);  // nobody is before it any more
  }
  return take(age < rules_.oldest_first ? oldest : *surplus_.last, As::surplus);
}

auto ReadLine::next(Instant now) -> Next {
  if (!rules_.enabled) return turns_.first == nullptr ? Next{} : take(*turns_.first, As::turn);
  measure(now);
  pass_on_the_late(now);
  if (surplus_.first != nullptr && (budget_ > Duration::zero() || turns_.first == nullptr))
    return take_surplus(now);
  if (turns_.first == nullptr) return {};
  delay_.observe(now - turns_.first->since, now);
  return take(*turns_.first, As::turn);
}

void ReadLine::done(As as, Outcome outcome, Duration took) {
  if (outcome == Outcome::admitted) {
    seen_ = seen_ == Duration::zero() ? took : seen_ + (took - seen_) / 16;
    ++window_admitted_;
  } else {
    window_refusing_ += took;
  }
  if (as == As::turn) {
    // An admitted request costs more later; but what harvesting thousands costs is not its cost.
    credit(outcome == Outcome::admitted ? std::min(service(), seen_ * 8 / 5) : took);
  } else {
    budget_ = std::max(budget_ - took, -debt_max);
  }
}

void ReadLine::measure(Instant now) {
  if (empty() || !continuous_) {
    continuous_ = !empty();
    window_began_ = now;
    window_refusing_ = {};
    window_admitted_ = 0;
    return;
  }
  const Duration length = now - window_began_;
  if (length < window || window_admitted_ < window_admitted_least) return;
  const Duration each =
      (length - std::min(window_refusing_, length)) / static_cast<std::int64_t>(window_admitted_);
  measured_ = measured_ == Duration::zero() ? each : measured_ + (each - measured_) / 4;
  continuous_ = false;
}

}  // namespace vesper::admission
