#include "stages/queue/lanes.hpp"

#include <algorithm>

#include "base/ensure.hpp"

namespace vesper::queue {

namespace {
constexpr std::size_t page_max = 512;
}

std::optional<Lanes::Ask> Lanes::ask() const {
  if (caught_up_ || held_ >= limits_.window_max) return std::nullopt;
  const std::size_t room = limits_.window_max - held_;
  // Asking for a few at a time would cost a query an entry.
  if (room < limits_.window_max / 4 && !ready_.empty()) return std::nullopt;
  return Ask{cursor_, std::min(room, page_max), scan_, news_};
}

void Lanes::fill(std::span<const OwedEntry> page, const Ask& asked) {
  if (asked.scan != scan_) return;
  for (const auto& entry : page) {
    if (held_ >= limits_.window_max) return;
    offer(entry);
    cursor_ = std::max(cursor_, entry.position);
    ++scanned_;
  }
  caught_up_ = page.size() < asked.limit && asked.news == news_;
  go_back_if_due();
}

void Lanes::offer(const OwedEntry& entry) {
  if (blocked_.contains(entry.lane)) return;
  const auto at = lanes_.try_emplace(entry.lane).first;
  Lane& lane = at->second;
  // What is in flight stays first, also when an older entry is found late.
  const bool fixed = lane.state == State::busy;
  if (fixed && lane.entries.front().position == entry.position) return;
  const auto begin = lane.entries.begin() + (fixed ? 1 : 0);
  const auto place =
      std::ranges::lower_bound(begin, lane.entries.end(), entry.position, {}, &OwedEntry::position);
  if (place != lane.entries.end() && place->position == entry.position) return;
  // Behind a gap nothing may be taken until a scan has come past the gap.
  const bool gap = lane.passed_over != 0 && entry.position > lane.passed_over &&
                   (lane.in_scan == scan_ || lane.passed_over <= scan_start_);
  if (gap) return;
  if (lane.entries.size() >= limits_.lane_max) {
    if (lane.passed_over == 0 || entry.position < lane.passed_over || lane.in_scan != scan_) {
      lane.passed_over = entry.position;
      lane.in_scan = scan_;
    }
    return;
  }
  if (entry.position >= lane.passed_over) lane.passed_over = 0;
  if (!fixed && place == lane.entries.begin()) {
    if (lane.state == State::ready) {
      ready_.erase({place->position, entry.lane});
      retries_.erase({place->position, entry.lane});
    }
    if (lane.state == State::waiting) stop_waiting(at);
    lane.state = State::ready;
    lane.why = Later::own;
    ready_.insert({entry.position, entry.lane});
  }
  lane.entries.insert(place, entry);
  ++held_;
}

void Lanes::scan_from(Position position) {
  const Position start = position == 0 ? 0 : position - 1;
  caught_up_ = false;
  if (go_back_ && position <= *go_back_) go_back_.reset();
  if (start > cursor_) return;
  cursor_ = scan_start_ = start;
  scanned_ = 0;
  ++scan_;
}

void Lanes::go_back_if_due() {
  // Going back at once for every lane would keep the scan from ever reaching the end.
  if (!go_back_ || (!caught_up_ && scanned_ < limits_.window_max)) return;
  const Position position = *go_back_;
  go_back_.reset();
  scan_from(position);
}

void Lanes::stop_waiting(Map::iterator at) {
  waiting_.erase({at->second.when, at->first});
  if (at->second.why == Later::own) --own_;
}

void Lanes::make_ready(Map::iterator at) {
  Lane& lane = at->second;
  lane.state = State::ready;
  auto& set = lane.why == Later::budget ? retries_ : ready_;
  set.insert({lane.entries.front().position, at->first});
}

void Lanes::wake_due(Instant now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    const auto at = lanes_.find(waiting_.begin()->second);
    stop_waiting(at);
    make_ready(at);
  }
}

std::optional<OwedEntry> Lanes::next(Instant now) {
  wake_due(now);
  if (ready_.empty() || blocked_.size() >= limits_.blocked_max) return std::nullopt;
  const auto at = lanes_.find(ready_.begin()->second);
  ready_.erase(ready_.begin());
  at->second.state = State::busy;
  return at->second.entries.front();
}

std::optional<OwedEntry> Lanes::next_retry(Instant now) {
  wake_due(now);
  if (retries_.empty() || blocked_.size() >= limits_.blocked_max) return std::nullopt;
  const auto at = lanes_.find(retries_.begin()->second);
  retries_.erase(retries_.begin());
  at->second.state = State::busy;
  return at->second.entries.front();
}

void Lanes::hasten() {
  forgive();
  if (!ready_.empty()) return;
  for (const auto& [when, id] : waiting_) {
    const auto at = lanes_.find(id);
    if (at->second.why == Later::own) continue;
    stop_waiting(at);
    at->second.why = Later::outage;
    return make_ready(at);
  }
}

void Lanes::forgive() {
  for (const auto& retry : retries_) lanes_.find(retry.second)->second.why = Later::outage;
  ready_.merge(retries_);
}

void Lanes::recovered() {
  forgive();
  std::vector<Map::iterator> well;
  for (const auto& [when, id] : waiting_)
    if (const auto at = lanes_.find(id); at->second.why != Later::own) well.push_back(at);
  for (const auto at : well) {
    stop_waiting(at);
    at->second.why = Later::outage;
    make_ready(at);
  }
}

std::optional<Instant> Lanes::wakes_at() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

void Lanes::drop_first(Map::iterator at) {
  at->second.entries.erase(at->second.entries.begin());
  --held_;
}

void Lanes::settle_down(Map::iterator at) {
  Lane& lane = at->second;
  if (lane.passed_over != 0 && lane.entries.size() <= limits_.lane_max / 2 &&
      cursor_ >= lane.passed_over) {
    go_back_ = std::min(go_back_.value_or(lane.passed_over), lane.passed_over);
    go_back_if_due();
  }
  lane.why = Later::own;
  if (!lane.entries.empty()) {
    lane.state = State::ready;
    ready_.insert({lane.entries.front().position, at->first});
  } else if (lane.passed_over == 0) {
    lanes_.erase(at);
  } else {
    lane.state = State::idle;
  }
}

void Lanes::done(std::uint64_t id) {
  const auto at = lanes_.find(id);
  ensure(at != lanes_.end() && at->second.state == State::busy);
  drop_first(at);
  settle_down(at);
}

void Lanes::retry(std::uint64_t id, Instant when, std::uint32_t attempts, Later why) {
  const auto at = lanes_.find(id);
  ensure(at != lanes_.end() && at->second.state == State::busy);
  Lane& lane = at->second;
  lane.entries.front().attempts = attempts;
  std::ranges::sort(lane.entries, {}, &OwedEntry::position);
  lane.state = State::waiting;
  lane.why = why;
  lane.when = when;
  waiting_.insert({when, id});
  if (why == Later::own) ++own_;
}

void Lanes::park(std::uint64_t id) {
  const auto at = lanes_.find(id);
  ensure(at != lanes_.end() && at->second.state == State::busy);
  const Position position = at->second.entries.front().position;
  held_ -= at->second.entries.size();
  lanes_.erase(at);
  blocked_.insert_or_assign(id, position);
}

void Lanes::block(std::uint64_t id, Position position) {
  const auto [at, fresh] = blocked_.try_emplace(id, position);
  if (!fresh) at->second = std::min(at->second, position);
}

void Lanes::release(std::uint64_t id, Position position) {
  if (const auto at = blocked_.find(id); at != blocked_.end()) {
    position = std::min(position, at->second);
    blocked_.erase(at);
  }
  scan_from(position);
}

}  // namespace vesper::queue
