#include "stages/admission/door.hpp"

#include <algorithm>

namespace vesper::admission {
namespace {

Duration for_class(Duration limit, TrafficClass what) {
  switch (what) {
    case TrafficClass::health:
    case TrafficClass::admin:
      return Duration::max();
    case TrafficClass::submissions:
      return limit;
    case TrafficClass::reads:
      return limit / 2;
    case TrafficClass::exports:
      return limit / 4;
  }
  return limit;
}

}  // namespace

Decision Door::ask(const Asked& asked, Instant now) {
  if (asked.what <= TrafficClass::admin || !rules_.enabled) return {};
  const bool to_journal = asked.what == TrafficClass::submissions;
  loop_.observe(asked.waited, now);
  // The commit under way is nobody's queue: a slow disk at low load refuses nobody.
  const Duration queue = std::max(asked.journal_queue - asked.journal_commit, Duration::zero());
  const Duration late = std::max(asked.journal_wait - asked.journal_commit, queue);
  if (to_journal) journal_.observe(queue, now);

  const Duration needed = to_journal ? asked.journal_wait + asked.journal_commit : Duration{};
  if (asked.remaining <= needed) return {Verdict::refuse, RefusedFor::deadline};
  if (asked.surplus || asked.waited > for_class(loop_.limit(now), asked.what))
    return {Verdict::crowded, RefusedFor::loop_wait};
  // A disk that stumbles is over it sooner than a queue that stands.
  const Duration late_max =
      journal_.overloaded(now) ? rules_.journal.overloaded_max : rules_.journal_late_max;
  if (to_journal && (queue > journal_.limit(now) || late > late_max))
    return {Verdict::crowded, RefusedFor::journal_wait};
  return {};
}

}  // namespace vesper::admission
