#pragma once
#include <cstdint>

#include "base/ensure.hpp"
#include "model/journal.hpp"

namespace vesper::outbox {

/// What befalls an owed diary.
enum class Event : std::uint8_t { lease, settle, park, no_answer, release, redrive, skip };

/// One debt to one destination.
///
///          lease              settle
///   owed ---------> leased ------------> delivered
///    ^                | | park
///    |   no_answer,   | +-----------> parked ---skip---> (given up: delivered to nobody, audited)
///    +---- release ---+                  |
///    +----------------redrive------------+
///
///   owed:      nobody works on it; `attempts` tries have been made.
///   leased:    exactly one try may be in flight, under this process's epoch.
///   delivered: the destination has confirmed it. Final.
///   parked:    it waits for a person; later ones of its lane wait behind it.
struct Entry {
  DeliveryState state = DeliveryState::owed;
  std::uint32_t attempts = 0;
  bool given_up = false;
  friend constexpr bool operator==(const Entry&, const Entry&) = default;
};

/// Whether `event` may happen to an entry in `state`.
[[nodiscard]] constexpr bool allowed(DeliveryState state, Event event) {
  switch (event) {
    case Event::lease:
      return state == DeliveryState::owed;
    case Event::settle:
    case Event::park:
    case Event::no_answer:
    case Event::release:
      return state == DeliveryState::leased;
    case Event::redrive:
    case Event::skip:
      return state == DeliveryState::parked;
  }
  return false;
}

/// The entry after `event`. Tries are counted when they end, without limit; a release is no try.
[[nodiscard]] constexpr Entry after(Entry entry, Event event) {
  ensure(allowed(entry.state, event));  // anything else is our bug, not the destination's
  const std::uint32_t tried = entry.attempts == UINT32_MAX ? UINT32_MAX : entry.attempts + 1;
  switch (event) {
    case Event::lease:
      return {DeliveryState::leased, entry.attempts, false};
    case Event::settle:
      return {DeliveryState::delivered, tried, false};
    case Event::park:
      return {DeliveryState::parked, tried, false};
    case Event::no_answer:
      return {DeliveryState::owed, tried, false};
    case Event::release:
      return {DeliveryState::owed, entry.attempts, false};
    case Event::redrive:
      return {DeliveryState::owed, entry.attempts, false};
    case Event::skip:
      return {DeliveryState::delivered, entry.attempts, true};
  }
  return entry;
}

static_assert(after({}, Event::lease) == Entry{DeliveryState::leased, 0});
static_assert(after({DeliveryState::leased, 2}, Event::settle) ==
              Entry{DeliveryState::delivered, 3});
static_assert(after({DeliveryState::leased, 2}, Event::no_answer) == Entry{DeliveryState::owed, 3});
static_assert(after({DeliveryState::leased, 2}, Event::release) == Entry{DeliveryState::owed, 2});
static_assert(after({DeliveryState::leased, 0}, Event::park) == Entry{DeliveryState::parked, 1});
static_assert(after({DeliveryState::parked, 1}, Event::redrive) == Entry{DeliveryState::owed, 1});
static_assert(after({DeliveryState::parked, 1}, Event::skip).given_up);
static_assert(!allowed(DeliveryState::delivered, Event::redrive));
static_assert(!allowed(DeliveryState::delivered, Event::lease));
static_assert(!allowed(DeliveryState::parked, Event::lease));
static_assert(!allowed(DeliveryState::held, Event::lease));

}  // namespace vesper::outbox
